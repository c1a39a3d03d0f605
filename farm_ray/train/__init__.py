"""Training: the driver's `Trainer`, what each rank does, one optimizer step, early stopping, checkpoints, folds."""

from farm_ray.train.cross_validation import cross_validate
from farm_ray.train.early_stopping import EarlyStopping
from farm_ray.train.trainer import Trainer

__all__ = ["EarlyStopping", "Trainer", "cross_validate"]

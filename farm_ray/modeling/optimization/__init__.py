"""Optimizers, learning-rate schedules, number formats (AMP) and the wrappers for several devices."""

from farm_ray.modeling.optimization.initialize import initialize_optimizer, optimize_model
from farm_ray.modeling.optimization.optimizers import TransformersAdamW, create_optimizer
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.modeling.optimization.schedules import calculate_optimization_steps, get_scheduler, optimizer_steps
from farm_ray.modeling.optimization.wrappers import WrappedDataParallel, WrappedDDP

__all__ = [
    "Precision",
    "TransformersAdamW",
    "WrappedDDP",
    "WrappedDataParallel",
    "calculate_optimization_steps",
    "create_optimizer",
    "get_scheduler",
    "initialize_optimizer",
    "optimize_model",
    "optimizer_steps",
]

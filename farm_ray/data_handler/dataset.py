"""FARM's path to its torch data sets."""

from farm_ray.compat.dataset import (
    ConcatTensorDataset,
    convert_features_to_dataset,
    random_split_ConcatDataset,
)

__all__ = [
    "ConcatTensorDataset",
    "convert_features_to_dataset",
    "random_split_ConcatDataset",
]

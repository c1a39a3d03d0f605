"""FARM's path to its data loaders."""

from farm_ray.compat.dataloader import (
    NamedDataLoader,
    covert_dataset_to_dataloader,
)

__all__ = [
    "NamedDataLoader",
    "covert_dataset_to_dataloader",
]

"""FARM's path to `Converter`."""

from farm_ray.compat.converter import (
    Converter,
)

__all__ = [
    "Converter",
]

"""FARM's path to `Converter`."""

from farm_ray.modeling.conversion.transformers import Converter

__all__ = ["Converter"]

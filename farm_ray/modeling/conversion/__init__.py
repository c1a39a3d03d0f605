"""Conversion between farm_ray's models and those of other libraries."""

from farm_ray.modeling.conversion.transformers import Converter

__all__ = ["Converter"]

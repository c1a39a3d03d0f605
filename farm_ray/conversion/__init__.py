"""FARM's path to the conversion of models; it lives in `farm_ray.modeling`."""

from farm_ray.conversion.transformers import Converter

__all__ = ["Converter"]

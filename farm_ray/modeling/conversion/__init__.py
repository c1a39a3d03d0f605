"""Conversion between farm_ray's models and those of other libraries."""

"""FARM's path to its objects for samples."""

from farm_ray.compat.samples import (
    Sample,
    SampleBasket,
    create_sample_ner,
    create_sample_one_label_one_text,
)

__all__ = [
    "Sample",
    "SampleBasket",
    "create_sample_ner",
    "create_sample_one_label_one_text",
]

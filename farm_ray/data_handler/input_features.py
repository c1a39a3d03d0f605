"""FARM's path to its features of one sample."""

from farm_ray.compat.input_features import (
    get_camembert_seq_2_start,
    get_roberta_seq_2_start,
    sample_to_features_text,
)

__all__ = [
    "get_camembert_seq_2_start",
    "get_roberta_seq_2_start",
    "sample_to_features_text",
]

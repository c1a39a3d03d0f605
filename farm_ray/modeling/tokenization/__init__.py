"""Tokenizers and helpers around them."""

from farm_ray.modeling.tokenization.load import Tokenizer
from farm_ray.modeling.tokenization.offsets import tokenize_with_metadata
from farm_ray.modeling.tokenization.special_tokens import insert_at_special_tokens_pos
from farm_ray.modeling.tokenization.truncation import truncate_sequences
from farm_ray.modeling.tokenization.words import split_with_metadata

__all__ = [
    "Tokenizer",
    "insert_at_special_tokens_pos",
    "split_with_metadata",
    "tokenize_with_metadata",
    "truncate_sequences",
]

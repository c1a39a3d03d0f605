"""Stage 1: from a file to rows of text as written there, each with its id and what is wrong with it."""

from farm_ray.data_handler.file_to_dicts.jsonl import read_jsonl
from farm_ray.data_handler.file_to_dicts.tables import read_rows

__all__ = ["read_jsonl", "read_rows"]

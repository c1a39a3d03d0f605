"""Stage 1: from a file to rows of text as written there, each with its id and what is wrong with it."""

from farm_ray.data_handler.file_to_dicts.document_file import read_docs_from_txt, split_file
from farm_ray.data_handler.file_to_dicts.jsonl import read_jsonl
from farm_ray.data_handler.file_to_dicts.ner_file import read_ner_file
from farm_ray.data_handler.file_to_dicts.tables import read_rows
from farm_ray.data_handler.file_to_dicts.tsv import read_tsv

__all__ = ["read_docs_from_txt", "read_jsonl", "read_ner_file", "read_rows", "read_tsv", "split_file"]

"""FARM's path to its readers of files and small helpers."""

from farm_ray.compat.utils import (
    expand_labels,
    get_sentence_pair,
    grouper,
    join_sentences,
    pad,
    read_docs_from_txt,
    read_jsonl,
    read_ner_file,
    read_tsv,
    split_file,
    split_with_metadata,
)

__all__ = [
    "expand_labels",
    "get_sentence_pair",
    "grouper",
    "join_sentences",
    "pad",
    "read_docs_from_txt",
    "read_jsonl",
    "read_ner_file",
    "read_tsv",
    "split_file",
    "split_with_metadata",
]

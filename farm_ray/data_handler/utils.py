"""Readers of files and small helpers under the names that FARM has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from farm_ray.data_handler.file_to_dicts import read_jsonl, read_ner_file, read_tsv
from farm_ray.errors import DataProblemError
from farm_ray.modeling.tokenization import split_with_metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["expand_labels", "pad", "read_jsonl", "read_ner_file", "read_tsv", "split_with_metadata"]

T = TypeVar("T")


def pad(seq: Sequence[T], max_seq_len: int, pad_token: T, pad_on_left: bool = False) -> list[T]:
    """`seq` with `pad_token` at its end (or begin), [max_seq_len]; a longer one stays as long as it is."""
    padding = [pad_token] * (max_seq_len - len(seq))
    return [*padding, *seq] if pad_on_left else [*seq, *padding]


def expand_labels(labels_word: Sequence[T] | None, initial_mask: Sequence[int], non_initial_token: T) -> list[T] | None:
    """One label per token, [length of the mask]: a word's at its first token, `non_initial_token` elsewhere.

    Words behind the last token get none; without labels (inference) the result is None.

    Args:
        labels_word: One label per word.
        initial_mask: 1 on the first token of each word.
        non_initial_token: Label of all other tokens.

    Raises:
        DataProblemError: When there are more words in the mask than labels.
    """
    if not labels_word:
        return None
    words = sum(bool(initial) for initial in initial_mask)
    if words > len(labels_word):
        raise DataProblemError(f"initial_mask begins {words} words, but there are {len(labels_word)} labels")
    remaining = iter(labels_word)
    return [next(remaining) if initial else non_initial_token for initial in initial_mask]

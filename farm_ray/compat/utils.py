"""Readers of files and small helpers under the names that FARM has for them."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any, TypeVar

from farm_ray.compat.document_file import read_docs_from_txt, split_file
from farm_ray.compat.ner_file import read_ner_file
from farm_ray.compat.tsv import read_tsv
from farm_ray.data_handler.file_to_dicts import read_jsonl
from farm_ray.errors import DataProblemError
from farm_ray.modeling.tokenization import split_with_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
        raise DataProblemError(
            f"initial_mask begins {words} words, but there are {len(labels_word)} labels",
            code="lengths-differ",
            value=len(labels_word),
        )
    remaining = iter(labels_word)
    return [next(remaining) if initial else non_initial_token for initial in initial_mask]


def grouper(iterable: Iterable[T], n: int, worker_id: int = 0, total_workers: int = 1) -> Iterator[list[tuple[int, T]]]:
    """Lists of `n` elements with their index in `iterable`; of all lists every `total_workers`-th one.

    `grouper("ABCDEFG", 3)` gives `[(0, "A"), (1, "B"), (2, "C")]`, `[(3, "D"), ...]`, `[(6, "G")]`.

    Args:
        iterable: Anything; it is read as far as needed.
        n: Elements per list; the last one may have less.
        worker_id: This worker gets the lists `worker_id`, `worker_id + total_workers`, ...
        total_workers: How many share the lists.
    """
    elements = enumerate(iterable)
    groups = iter(lambda: list(itertools.islice(elements, n)), [])
    return itertools.islice(groups, worker_id, None, total_workers)


def get_sentence_pair(
    doc: Sequence[str], all_docs: Sequence[Sequence[str]], idx: int, *, rng: random.Random | None = None
) -> tuple[str, str, bool]:
    """A sentence, and with probability 1/2 the next one (True), else a random one of another document (False).

    Args:
        doc: The sentences of a document.
        all_docs: All documents.
        idx: Which sentence of `doc`, not its last.
        rng: Where random numbers come from; Python's own by default, as in FARM.

    Raises:
        DataProblemError: When there is no next sentence, or no other document.
    """
    draw: Any = rng or random
    if not 0 <= idx < len(doc) - 1:
        raise DataProblemError(
            f"sentence {idx} of a document of {len(doc)} has no next one; take 0 to {len(doc) - 2}",
            code="no-next-sentence",
            value=idx,
        )
    if draw.random() > 0.5:  # noqa: PLR2004 - a fair coin
        return doc[idx], doc[idx + 1], True
    others = [other for other in all_docs if other != doc and len(other)]
    if not others:
        raise DataProblemError(
            "there is no other document to draw a sentence from; give at least two",
            code="too-few-documents",
            value=len(all_docs),
        )
    return doc[idx], draw.choice(draw.choice(others)), False


def join_sentences(sequence: Iterable[Mapping[str, Sequence[Any]]]) -> dict[str, list[object]]:
    """Tokenized sentences, as `tokenize_with_metadata` gives them, as one: `tokens`, `offsets`, `start_of_word`.

    Offsets count in the sentences joined by a space each.
    """
    joined: dict[str, list[Any]] = {"tokens": [], "offsets": [], "start_of_word": []}
    begin = 0
    for sentence in sequence:
        joined["tokens"] += sentence["tokens"]
        joined["offsets"] += [begin + offset for offset in sentence["offsets"]]
        joined["start_of_word"] += sentence["start_of_word"]
        if sentence["tokens"]:
            begin = joined["offsets"][-1] + len(str(sentence["tokens"][-1]).removeprefix("##")) + 1
    return joined

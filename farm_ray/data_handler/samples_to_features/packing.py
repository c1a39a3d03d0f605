"""Rows of language models without next-sentence prediction: sentences fill rows, short texts share one."""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.data_handler import feature_schema
from farm_ray.data_handler.samples_to_features.document_tokens import (
    encode_documents,
    features_table,
    lists,
    row_ids,
)
from farm_ray.modeling.tokenization.backend import check_room
from farm_ray.modeling.tokenization.frame import frame_of
from farm_ray.modeling.tokenization.words import ranges

if TYPE_CHECKING:
    from farm_ray.data_handler.samples_to_features.document_tokens import DocumentTokens, Numbers
    from farm_ray.modeling.tokenization.protocol import TokenizerLike


def packed_features(samples: pa.Table, *, tokenizer: TokenizerLike, max_seq_len: int, packing: bool) -> pa.Table:
    """Rows of sentences that follow each other; no token is lost, and each document gives one row or more.

    The sentences of a document make texts: as many as fit into a row, in order; only a sentence that is longer than a
    row is cut. With `packing` texts share rows: in the order of the table, each goes to the fullest row that still has
    room for it and its special tokens, or begins a new one. A text is never cut for that.

    Args:
        samples: Columns id, doc (sentences, null beside a problem), problem.
        tokenizer: A fast one; it is not touched.
        max_seq_len: Tokens per row at most, special tokens counted.
        packing: Whether texts share rows; `text_numbers` says which text of its row a token is of.

    Returns:
        `feature_schema.lm_schema`; the id of a row is that of its first text, `{document id}-{number of the text}`.

    Raises:
        ConfigError: When `max_seq_len` leaves no room for text.
    """
    check_room(tokenizer, max_seq_len)
    frame = frame_of(tokenizer)
    tokens = encode_documents(samples, tokenizer=tokenizer, room=max_seq_len - frame.size)
    texts = _texts(tokens, max_seq_len - frame.size)
    row = _pack(texts.lengths + frame.size, max_seq_len) if packing else np.arange(len(texts.lengths))
    order = np.argsort(row, kind="stable")
    texts, row = texts.take(order), row[order]
    is_first = np.diff(row, prepend=-1) > 0
    framed = texts.lengths + frame.size
    ends = np.cumsum(framed)
    inside = ranges(ends - framed + len(frame.before), texts.lengths)
    taken = ranges(texts.starts, texts.lengths)
    row_lengths = np.bincount(row, framed, minlength=int(is_first.sum())).astype(np.int64)

    def column(values: npt.NDArray[np.generic], before: tuple[int, ...], after: tuple[int, ...]) -> pa.ListArray:
        placed = np.empty(int(framed.sum()), values.dtype)
        placed[inside] = values
        for position, value in enumerate(before):
            placed[ends - framed + position] = value
        for position, value in enumerate(after):
            placed[ends - len(after) + position] = value
        return lists(placed, row_lengths)

    never = (-1,)
    columns: dict[str, pa.Array] = {
        "id": row_ids(samples, texts.documents[is_first], texts.numbers[is_first]),
        "input_ids": column(tokens.ids[taken], frame.before, frame.after),
        "word_starts": column(tokens.word_starts[taken], never * len(frame.before), never * len(frame.after)),
        "n_tokens": row_lengths.astype(np.int32),
        "clipped": pa.array(np.zeros(len(row_lengths), np.bool_)),
    }
    if frame.has_segments:
        segments = np.full(len(taken), frame.segment_of_text, np.int8)
        columns["segment_ids"] = column(segments, frame.segments_before, frame.segments_after)
    if packing:
        places = np.arange(len(row))
        number = places - np.maximum.accumulate(np.where(is_first, places, 0))
        columns["text_numbers"] = lists(np.repeat(number, framed).astype(np.int16), row_lengths)
    schema = feature_schema.lm_schema(segments=frame.has_segments, packing=packing, next_sentence=False)
    return features_table(samples, tokens.problems, columns, texts.documents[is_first], schema)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Sentences of one document that stand together, all arrays [texts]."""

    documents: Numbers
    numbers: Numbers
    """Of the text within its document."""
    starts: Numbers
    """First token."""
    lengths: Numbers

    def take(self, order: Numbers) -> _Texts:
        return _Texts(self.documents[order], self.numbers[order], self.starts[order], self.lengths[order])


def _texts(tokens: DocumentTokens, room: int) -> _Texts:
    """As many units as fit into `room` tokens each, in order."""
    starts, ends = tokens.starts.tolist(), tokens.ends.tolist()
    borders = tokens.first_unit.tolist()
    found: list[tuple[int, int, int, int]] = []
    for document, (first, last) in enumerate(itertools.pairwise(borders)):
        unit, number = first, 0
        while unit < last:
            behind = bisect.bisect_right(ends, starts[unit] + room, unit, last)
            found.append((document, number, starts[unit], ends[behind - 1] - starts[unit]))
            unit, number = behind, number + 1
    return _Texts(*np.array(found, np.int64).reshape(-1, 4).T)


def _pack(lengths: Numbers, width: int) -> Numbers:
    """The row of each text, numbered in the order in which rows begin, [texts]."""
    shortest = int(lengths.min(initial=width))
    rows: list[int] = []
    begun = 0
    left: list[tuple[int, int]] = []
    for length in lengths.tolist():
        place = bisect.bisect_left(left, (length, -1))
        if place == len(left):
            free, row = width, begun
            begun += 1
        else:
            free, row = left.pop(place)
        rows.append(row)
        if free - length >= shortest:
            bisect.insort(left, (free - length, row))
    return np.array(rows, np.int64)

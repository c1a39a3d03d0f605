"""Rows of language models with next-sentence prediction: two texts, of which the second follows the first, or not."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import feature_schema, problems
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.samples_to_features.document_tokens import (
    DocumentTokens,
    encode_documents,
    features_table,
    lists,
    row_ids,
)
from farm_ray.data_handler.samples_to_features.refused import STAGE
from farm_ray.modeling.tokenization.backend import check_room
from farm_ray.modeling.tokenization.frame import pair_frame_of
from farm_ray.modeling.tokenization.words import ranges
from farm_ray.reproducibility import hash_ids, random_floats, splitmix64

if TYPE_CHECKING:
    from farm_ray.data_handler.problems import Problem
    from farm_ray.data_handler.samples_to_features.document_tokens import Numbers
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

PairStyle = Literal["bert-style", "sentence"]

IS_NEXT, RANDOM = 0, 1

BORROWED = "borrowed"
"""Column of samples, true for documents that only lend their sentences to pairs of others: they give no rows here."""

_COIN, _BORDER, _DOCUMENT, _BEGIN = 20, 21, 22, 23
"""Streams of random numbers."""


def pair_features(
    samples: pa.Table, *, tokenizer: TokenizerLike, max_seq_len: int, style: PairStyle, seed: int, epoch: int
) -> pa.Table:
    """Pairs of texts from the documents of one table, in order; each document gives one row or more.

    "bert-style": a document is read in stretches that fill a row, cut at a random sentence border into A and B. With
    probability 1/2 B stays; else a stretch from a random sentence on of a random other document of the table takes its
    place, and what B was begins the next row. The row is filled to the last token: what is over of B's last sentence
    begins the next row, too. Ends of documents and short documents make shorter rows. No token is lost.

    "sentence": A is each sentence but a document's last one, B the next sentence or, with probability 1/2, a random
    one of another document. The longer one is cut first where both together are too long (`clipped`).

    Labels are balanced because each row tosses a fair coin of its own before anything else is decided. A stretch of a
    single sentence is cut in half where the coin says "next" (FARM always did so, which made such rows all "next");
    else its first half row is A. Only a stretch of a single token cannot be cut, and is always "random".

    The rows are a pure function of the table, the seed and the epoch. A sentence above the row's room is cut into
    parts, which count as sentences. With a single sound document in the table there is nothing to draw from: it
    becomes a problem.

    Args:
        samples: Columns id, doc (sentences, null beside a problem), problem, and `BORROWED` where some are.
        tokenizer: A fast one; it is not touched.
        max_seq_len: Tokens per row at most, special tokens counted.
        style: See above.
        seed: The run's.
        epoch: The pass over the data, from 0.

    Returns:
        `feature_schema.lm_schema`; the id of a row is `{A's document}-{number}`.

    Raises:
        ConfigError: When `max_seq_len` leaves no room for two texts.
    """
    check_room(tokenizer, max_seq_len, pairs=True)
    frame = pair_frame_of(tokenizer)
    room = max_seq_len - frame.size
    tokens = encode_documents(samples, tokenizer=tokenizer, room=room)
    if np.count_nonzero(tokens.units) < 2:  # noqa: PLR2004 - a document and another one
        tokens = _without_single(tokens, samples)
    dice = _Dice(hash_ids(samples.column("id")), seed, epoch)
    pairs = _stretches(tokens, room, dice) if style == "bert-style" else _sentences(tokens, room, dice)
    found = tokens.problems
    if BORROWED in samples.column_names:
        borrowed = one_array(samples.column(BORROWED))
        pairs = pairs.only(~borrowed.to_numpy(zero_copy_only=False)[pairs.documents])
        found = pc.if_else(borrowed, None, found)
    before, between, after = len(frame.before), len(frame.between), len(frame.after)
    lengths = pairs.a_lengths + pairs.b_lengths + frame.size
    ends = np.cumsum(lengths)
    starts = ends - lengths
    behind_a = starts + before + pairs.a_lengths
    a, b = ranges(starts + before, pairs.a_lengths), ranges(behind_a + between, pairs.b_lengths)
    of_a, of_b = ranges(pairs.a_starts, pairs.a_lengths), ranges(pairs.b_starts, pairs.b_lengths)

    def column(in_a: object, in_b: object, special: tuple[tuple[int, ...], ...], dtype: npt.DTypeLike) -> pa.ListArray:
        placed = np.empty(int(lengths.sum()), dtype)
        placed[a], placed[b] = in_a, in_b
        for first, values in zip((starts, behind_a, ends - after), special, strict=True):
            for position, value in enumerate(values):
                placed[first + position] = value
        return lists(placed, lengths)

    never = ((-1,) * before, (-1,) * between, (-1,) * after)
    segments = (frame.segments_before, frame.segments_between, frame.segments_after)
    labels = pa.array(np.where(pairs.is_next, IS_NEXT, RANDOM))
    columns: dict[str, pa.Array] = {
        "id": row_ids(samples, pairs.documents, pairs.numbers),
        "input_ids": column(tokens.ids[of_a], tokens.ids[of_b], (frame.before, frame.between, frame.after), np.int32),
        "segment_ids": column(frame.segment_of_a, frame.segment_of_b, segments, np.int8),
        "word_starts": column(tokens.word_starts[of_a], tokens.word_starts[of_b], never, np.int8),
        "nextsentence_label_ids": pa.FixedSizeListArray.from_arrays(labels, 1),
        "n_tokens": lengths.astype(np.int32),
        "clipped": pa.array(pairs.clipped),
    }
    schema = feature_schema.lm_schema(segments=True, packing=False, next_sentence=True)
    return features_table(samples, found, columns, pairs.documents, schema)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Two stretches of tokens per row, all arrays [rows]; rows of a document stand together, in order."""

    documents: Numbers
    """Of A."""
    numbers: Numbers
    """Of the row within its document, from 0."""
    a_starts: Numbers
    a_lengths: Numbers
    b_starts: Numbers
    b_lengths: Numbers
    is_next: npt.NDArray[np.bool_]
    clipped: npt.NDArray[np.bool_]

    def only(self, rows: npt.NDArray[np.bool_]) -> _Pairs:
        """The rows that are true, [rows]."""
        return _Pairs(*(getattr(self, name.name)[rows] for name in fields(self)))


@dataclass(frozen=True, slots=True)
class _Dice:
    """Random numbers that belong to a document and a counter."""

    hashes: npt.NDArray[np.uint64]
    """[documents]"""
    seed: int
    epoch: int

    def throw(self, documents: Numbers, counters: Numbers, stream: int) -> npt.NDArray[np.float64]:
        """Uniform in [0, 1) for each pair of document and counter."""
        rows = splitmix64(self.hashes)[documents] + counters.astype(np.uint64)
        return random_floats(self.seed, self.epoch, rows, stream=stream)


def _stretches(tokens: DocumentTokens, room: int, dice: _Dice) -> _Pairs:
    half = max(1, room // 2)
    starts, ends = tokens.starts.tolist(), tokens.ends.tolist()
    # A row takes a unit or more, or half a row, or fills a row.
    size = np.diff(np.concatenate([tokens.starts, tokens.ends[-1:]])[tokens.first_unit]) if starts else tokens.units
    most = tokens.units + size // half + 1
    owner, counter = np.repeat(np.arange(len(most)), most), ranges(np.zeros(len(most), np.int64), most)
    coins = (dice.throw(owner, counter, _COIN) < 0.5).tolist()  # noqa: PLR2004 - a fair coin
    borders = dice.throw(owner, counter, _BORDER).tolist()
    throw_of = (np.cumsum(most) - most).tolist()
    units = tokens.first_unit.tolist()
    found: list[tuple[int, int, int, int, int, bool]] = []
    for document in np.flatnonzero(tokens.units).tolist():
        unit, last, number = units[document], units[document + 1], 0
        at = starts[unit]
        while unit < last:
            # The stretch: from `at` on, up to the unit that fills the row.
            behind = min(bisect.bisect_left(ends, at + room, unit, last) + 1, last)
            until = min(ends[behind - 1], at + room)
            is_next = coins[throw_of[document] + number]
            if behind - unit > 1:
                border = unit + 1 + int(borders[throw_of[document] + number] * (behind - unit - 1))
                a_end = starts[border]
            elif is_next and until - at > 1:
                a_end = at + (until - at) // 2
            else:
                is_next, a_end = False, min(until, at + half)
            found.append((document, number, at, a_end - at, until - a_end, is_next))
            at = until if is_next else a_end
            number += 1
            unit = bisect.bisect_right(ends, at, unit, last)
    rows = np.array(found, np.int64).reshape(-1, 6).T
    documents, numbers, a_starts, a_lengths, b_lengths = rows[:5]
    is_next = rows[5].astype(np.bool_)
    other = _random_units(tokens, documents, numbers, dice)
    end_of_document = _ends_of_documents(tokens)[np.searchsorted(tokens.first_unit, other, side="right") - 1]
    b_starts = np.where(is_next, a_starts + a_lengths, tokens.starts[other])
    b_lengths = np.where(is_next, b_lengths, np.minimum(room - a_lengths, end_of_document - b_starts))
    clipped = np.zeros(len(documents), np.bool_)
    return _Pairs(documents, numbers, a_starts, a_lengths, b_starts, b_lengths, is_next, clipped)


def _sentences(tokens: DocumentTokens, room: int, dice: _Dice) -> _Pairs:
    documents = np.repeat(np.arange(len(tokens.units)), tokens.units)
    unit = np.arange(len(documents))
    numbers = unit - tokens.first_unit[documents]
    single = tokens.units[documents] == 1
    kept = single | (numbers < tokens.units[documents] - 1)
    documents, unit, numbers, single = documents[kept], unit[kept], numbers[kept], single[kept]
    length = tokens.lengths[unit]
    is_next = (dice.throw(documents, numbers, _COIN) < 0.5) & ~(single & (length < 2))  # noqa: PLR2004
    in_half = single & is_next
    other = _random_units(tokens, documents, numbers, dice)
    b_unit = np.where(is_next & ~single, unit + 1, other)[: len(unit)]
    a = np.where(in_half, length // 2, length)
    b_starts = np.where(in_half, tokens.starts[unit] + a, tokens.starts[b_unit])
    b = np.where(in_half, length - a, tokens.lengths[b_unit])
    half_a, half_b = room - room // 2, room // 2
    clipped = a + b > room
    a_cut = np.where(clipped & (a > half_a), np.maximum(half_a, room - b), a)
    b_cut = np.where(clipped & (b > half_b), np.maximum(half_b, room - a), b)
    return _Pairs(documents, numbers, tokens.starts[unit], a_cut, b_starts, b_cut, is_next, clipped)


def _random_units(tokens: DocumentTokens, documents: Numbers, counters: Numbers, dice: _Dice) -> Numbers:
    """For each row a random unit of a random other document, each document as likely as any other, [rows]."""
    filled = np.flatnonzero(tokens.units)
    if not len(documents):
        return documents
    choice = (dice.throw(documents, counters, _DOCUMENT) * (len(filled) - 1)).astype(np.int64)
    choice += choice >= np.searchsorted(filled, documents)
    other = filled[choice]
    within = (dice.throw(documents, counters, _BEGIN) * tokens.units[other]).astype(np.int64)
    return tokens.first_unit[other] + within


def _ends_of_documents(tokens: DocumentTokens) -> Numbers:
    """Behind the last token of each document that has units, [documents]."""
    return tokens.ends[np.maximum(tokens.first_unit[1:] - 1, 0)] if len(tokens.ends) else tokens.first_unit[1:]


def _without_single(tokens: DocumentTokens, samples: pa.Table) -> DocumentTokens:
    """No units at all; the only document that has some gets a problem."""
    later: list[Problem | None] = [None] * len(tokens.units)
    for row in np.flatnonzero(tokens.units).tolist():
        row_id = samples.column("id")[row].as_py()
        message = (
            f"{row_id}: next-sentence prediction draws sentences from other documents, and there is no other one "
            "beside this; separate documents by blank lines, read larger windows (window_bytes of StreamingDataSilo), "
            "or give next_sent_pred=False"
        )
        later[row] = problems.at(row_id, stage=STAGE, kind="single document", message=message)
    none = np.zeros(0, np.int64)
    found = problems.first_of_each(tokens.problems, later) if any(later) else tokens.problems
    return DocumentTokens(tokens.ids, tokens.word_starts, none, none, np.zeros_like(tokens.first_unit), found)

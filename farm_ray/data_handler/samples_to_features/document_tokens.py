"""Documents as tokens, and rows of tokens as a features table: what all rows of language models share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.samples_to_features.refused import STAGE, problems_of
from farm_ray.modeling.tokenization.sentences import encode_sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.problems import Problem
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DocumentTokens:
    """The documents of a table as tokens, one after the other: [documents] as in the table, [units] in order.

    A unit is a sentence, or a part of one that is longer than a row has room for. Units of a document follow each other
    without gaps.
    """

    ids: npt.NDArray[np.int32]
    """[tokens]"""
    word_starts: npt.NDArray[np.int8]
    """[tokens], see `feature_schema.lm_schema`."""
    starts: Numbers
    """First token of each unit, [units]."""
    lengths: Numbers
    """Tokens of each unit, 1 to the room, [units]."""
    first_unit: Numbers
    """Of each document, and the number of units at the end, [documents + 1]; none for a document with a problem."""
    problems: pa.Array
    """[documents]"""

    @property
    def units(self) -> Numbers:
        """Units of each document, [documents]."""
        return np.diff(self.first_unit)

    @property
    def ends(self) -> Numbers:
        """Behind the last token of each unit, [units]."""
        return self.starts + self.lengths


def encode_documents(samples: pa.Table, *, tokenizer: TokenizerLike, room: int) -> DocumentTokens:
    """Sentences as tokens; those above `room` tokens are cut into parts of about equal length.

    A document that the tokenizer refuses, or makes no tokens of, gets a problem.

    Args:
        samples: Columns id, doc (sentences, null beside a problem), problem.
        tokenizer: A fast one; it is not touched.
        room: Tokens of a unit at most.
    """
    docs = one_array(samples.column("doc"))
    counts = pc.fill_null(pc.list_value_length(docs), 0).to_numpy().astype(np.int64)
    encoded = encode_sentences(pc.list_flatten(docs), tokenizer=tokenizer)
    document = np.repeat(np.arange(len(counts)), counts)
    lengths = encoded.tokens_per_sentence
    starts = np.cumsum(lengths) - lengths
    refused: dict[int, str] = {}
    for sentence, reason in encoded.refused.items():
        refused.setdefault(int(document[sentence]), reason)
    kept = lengths > 0
    if refused:
        kept &= ~np.isin(document, list(refused))
    starts, lengths, document = starts[kept], lengths[kept], document[kept]
    parts = -(-lengths // room)
    if (parts > 1).any():
        number = np.arange(int(parts.sum())) - np.repeat(np.cumsum(parts) - parts, parts)
        whole, of = np.repeat(lengths, parts), np.repeat(parts, parts)
        begins = whole * number // of
        starts, lengths = np.repeat(starts, parts) + begins, whole * (number + 1) // of - begins
        document = np.repeat(document, parts)
    first_unit = np.searchsorted(document, np.arange(len(counts) + 1))
    found = _with_empty(problems_of(samples, refused), samples, np.diff(first_unit) == 0)
    return DocumentTokens(encoded.ids, encoded.word_starts, starts, lengths, first_unit, found)


def lists(values: npt.NDArray[np.generic], lengths: npt.NDArray[np.generic]) -> pa.ListArray:
    """Values one after the other as a list per row."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values))


def row_ids(samples: pa.Table, documents: Numbers, numbers: Numbers) -> pa.Array:
    """`{document id}-{number}`, [rows]."""
    names = one_array(samples.column("id").take(pa.array(documents)))
    return pc.binary_join_element_wise(names, pa.array(numbers).cast(pa.string()), "-")


def features_table(
    samples: pa.Table, found: pa.Array, columns: Mapping[str, object], documents: Numbers, schema: pa.Schema
) -> pa.Table:
    """Rows in the order of their documents; documents with a problem keep their place, in one row without lists.

    Args:
        samples: Their ids.
        found: Problems of the documents, [documents].
        columns: Of the rows, without `problem`.
        documents: Of each row, ascending, [rows].
        schema: `feature_schema.lm_schema`.
    """
    columns = {**columns, problems.COLUMN: problems.none(len(documents))}
    sound = pa.table([columns[name] for name in schema.names], schema=schema)
    bad = np.flatnonzero(pc.is_valid(found).to_numpy(zero_copy_only=False))
    if not len(bad):
        return sound
    given = {
        "id": one_array(samples.column("id").take(pa.array(bad))),
        "n_tokens": pa.array(np.zeros(len(bad), np.int32)),
        "clipped": pa.array(np.zeros(len(bad), np.bool_)),
        problems.COLUMN: found.take(pa.array(bad)),
    }
    rows = [given.get(field.name, pa.nulls(len(bad), field.type)) for field in schema]
    order = np.argsort(np.concatenate([documents, bad]), kind="stable")
    return pa.concat_tables([sound, pa.table(rows, schema=schema)]).take(pa.array(order))


def _with_empty(found: pa.Array, samples: pa.Table, empty: npt.NDArray[np.bool_]) -> pa.Array:
    """The problems, with one more for each document of which nothing is left."""
    rows = np.flatnonzero(empty & pc.is_null(found).to_numpy(zero_copy_only=False))
    if not len(rows):
        return found
    later: list[Problem | None] = [None] * len(found)
    for row in rows.tolist():
        row_id = samples.column("id")[row].as_py()
        message = f"{row_id}: the tokenizer makes no token of this document; remove it, or use another tokenizer"
        later[row] = problems.at(row_id, stage=STAGE, kind="no tokens", message=message)
    return problems.first_of_each(found, later)

"""Embeddings of a table of texts, and their forms: FARM's flat list for programs, flat rows for files.

N rows in the table, n of them sound, T tokens of a row, H width of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.infer import rows as about_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from farm_ray.plain import PlainDict


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """One vector (or one per token) or one problem per row, in the order of the rows."""

    table: pa.Table
    """id, text, clipped and problem, [N]."""
    rows: npt.NDArray[np.int64]
    """Positions of the sound rows, [n], ascending."""
    vectors: Sequence[npt.NDArray[np.float32]]
    """[H] each, or [T, H] with one vector per token; in the order of `rows`."""
    per_token: bool

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_json(self, **_: object) -> list[PlainDict]:
        """One dict per row: `context` (the text), `vec` (an array, None beside a problem), id, clipped, problem."""
        found: list[object] = [None] * len(self)
        for row, vector in zip(self.rows.tolist(), self.vectors, strict=True):
            found[row] = vector
        return _items(self.table, found)

    def to_table(self, **_: object) -> pa.Table:
        """Flat rows, [N]: id, text, vec, clipped, problem; `vec` is a list of H float32, or a list of T such lists."""
        column = about_rows.scattered(self._column(), self.rows, len(self))
        return about_rows.beside_answers(self.table, {"vec": column})

    def to_json_table(self, **_: object) -> pa.Table:
        """What `to_json` gives, as a table that can travel."""
        return self.to_table()

    def read_json_table(self, table: pa.Table, **_: object) -> list[PlainDict]:
        """What `to_json` gave, from a table of `to_json_table`."""
        return _items(table, map(_as_numpy, table.column("vec")))

    @staticmethod
    def joined(results: Iterable[list[PlainDict]]) -> list[PlainDict]:
        """The dicts of all chunks as one list."""
        return [item for chunk in results for item in chunk]

    def _column(self) -> pa.ListArray:
        if not self.per_token:
            return _lists(self.vectors)
        tokens = _lists([vector for vectors in self.vectors for vector in vectors])
        return pa.ListArray.from_arrays(_offsets(self.vectors), tokens)


def _items(table: pa.Table, vectors: Iterable[object]) -> list[PlainDict]:
    each = zip(about_rows.contexts(table), vectors, about_rows.about(table), strict=True)
    return [{"context": context, "vec": vector, **about} for context, vector, about in each]


def _lists(vectors: Sequence[npt.NDArray[np.float32]]) -> pa.ListArray:
    values = np.concatenate(vectors) if len(vectors) else np.zeros(0, np.float32)
    return pa.ListArray.from_arrays(_offsets(vectors), pa.array(values, pa.float32()))


def _offsets(lists: Sequence[npt.NDArray[np.float32]]) -> pa.Array:
    return pa.array(np.cumsum([0, *map(len, lists)]), pa.int32())


def _as_numpy(scalar: pa.ListScalar) -> npt.NDArray[np.float32] | None:
    """[H], or [T, H]; None for null."""
    if not scalar.is_valid:
        return None
    if pa.types.is_list(scalar.type.value_type):
        return np.array([token.values.to_numpy() for token in scalar.values], np.float32)
    return np.array(scalar.values.to_numpy(), np.float32)

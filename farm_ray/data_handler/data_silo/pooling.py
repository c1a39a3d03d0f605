"""All rows of some sets as one set, without copying a feature, and the units of it that no split may tear apart."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from farm_ray.data_handler.columns import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.feature_columns import Positions
    from farm_ray.reproducibility import UInt64


def pool(sets: Sequence[FeatureSet]) -> FeatureSet:
    """The rows of all sets, in the order of their tables; their table has the chunks of the sets' tables, uncopied.

    Train and dev of one file share a table, which is taken once.
    """
    tables: dict[int, FeatureSet] = {}
    for rows in sets:
        tables.setdefault(id(rows.table), rows)
    parts = list(tables.values())
    ends = np.cumsum([0, *(part.table.num_rows for part in parts)])
    starts = dict(zip(tables, ends.tolist(), strict=False))
    return dataclasses.replace(
        parts[0],
        table=parts[0].table if len(parts) == 1 else joined([part.table for part in parts]),
        rows=np.sort(np.concatenate([rows.rows + starts[id(rows.table)] for rows in sets])),
        blocks=_references(parts),
        _columns={},
    )


@dataclass(frozen=True, kw_only=True)
class Units:
    """The source rows of a set: one row each, or all windows of a text. They are numbered 0 to u - 1 by place."""

    rows: FeatureSet
    of_row: Positions
    """The unit of each row, [n]."""

    @classmethod
    def of(cls, rows: FeatureSet) -> Units:
        """The units of a set."""
        groups = rows.groups()
        numbers = np.arange(len(rows)) if groups is None else np.unique(groups, return_inverse=True)[1]
        return cls(rows=rows, of_row=numbers.astype(np.int64))

    def __len__(self) -> int:
        return len(self.first_rows)

    @cached_property
    def first_rows(self) -> Positions:
        """Position of each unit's first row, [u]."""
        return np.unique(self.of_row, return_index=True)[1]

    def rows_of(self, units: Positions) -> FeatureSet:
        """The rows of these units, in the order of the set."""
        chosen = np.zeros(len(self), np.bool_)
        chosen[units] = True
        return self.rows.subset(np.flatnonzero(chosen[self.of_row]))

    @cached_property
    def hashes(self) -> UInt64:
        """A stable hash of each unit's id, [u]."""
        return self.rows.row_hashes[self.first_rows]


def _references(parts: Sequence[FeatureSet]) -> tuple[object, ...]:
    """Where the chunks lie in the object store; tables that are only in this process are put beside the others."""
    if not any(part.blocks for part in parts):
        return ()
    import ray

    return tuple(block for part in parts for block in (part.blocks or (ray.put(part.table),)))

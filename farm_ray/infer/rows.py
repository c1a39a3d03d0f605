"""What is known about an input beside its answer: id, texts, clipped, problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.sample_columns import TEXT_B

if TYPE_CHECKING:
    import numpy.typing as npt

    from farm_ray.plain import PlainDict

TEXTS = ("text", TEXT_B)
"""Columns with what was read; the second one for pairs only."""

ABOUT = ("id", "clipped", problems.COLUMN)
"""Columns that stand in every answer."""


def contexts(table: pa.Table) -> list[str | None]:
    """The text of each row, of a pair `a|b`; None where there is none."""
    columns = [table.column(name).to_pylist() for name in TEXTS if name in table.column_names]
    return [_context(*texts) for texts in zip(*columns, strict=True)]


def about(table: pa.Table) -> list[PlainDict]:
    """`id`, `clipped` and `problem` of each row."""
    rows: list[PlainDict] = table.select(list(ABOUT)).to_pylist()
    return rows


def scattered(values: pa.Array, rows: npt.NDArray[np.int64], length: int) -> pa.Array:
    """The values at these rows of a column, null everywhere else, [length]."""
    places = np.zeros(length, np.int64)
    places[rows] = np.arange(len(rows))
    missing = np.ones(length, np.bool_)
    missing[rows] = False
    return values.take(pa.array(places, mask=missing))


def beside_answers(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    """The columns of answers between texts and the rest: id, text, [text_b], the answers, clipped, problem."""
    first = {name: table.column(name) for name in ("id", *TEXTS) if name in table.column_names}
    last = {name: table.column(name) for name in ABOUT if name != "id"}
    return pa.table({**first, **columns, **last})


def _context(text: str | None, text_b: str | None = None) -> str | None:
    return text if text is None or text_b is None else f"{text}|{text_b}"

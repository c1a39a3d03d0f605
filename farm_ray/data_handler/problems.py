"""What is wrong with a row: one nullable struct column, `problem`, that rides along every table of the data pipeline.

A row with a problem keeps its place from the file to the features. The silo quarantines such rows, counts and stores
them; inference answers them with the problem instead of a prediction. Nothing vanishes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PROBLEM = pa.struct(
    [
        ("stage", pa.string()),
        ("kind", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("value", pa.string()),
        ("message", pa.string()),
    ]
)
"""stage: the arrow that found it; kind: a short constant name to count by, as an error has its code;
file and line (from 1) where known; value: the offending value, shortened; message: what is wrong and what to do, one
line."""

COLUMN = "problem"
_LONGEST_VALUE = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One row's problem; the fields of `PROBLEM`."""

    stage: str
    kind: str
    message: str
    value: str | None = None
    file: str | None = None
    line: int | None = None


def shorten(value: object) -> str:
    """The value for a message: control characters escaped, at most 80 characters."""
    text = str(value)
    shown = text[:_LONGEST_VALUE].encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return shown if len(shown) <= _LONGEST_VALUE else shown[: _LONGEST_VALUE - 1] + "…"


def column(problems: Iterable[Problem | None]) -> pa.Array:
    """The `problem` column, one entry per row, null for a sound row."""
    return pa.array([None if problem is None else asdict(problem) for problem in problems], PROBLEM)


def none(rows: int) -> pa.Array:
    """A `problem` column of `rows` sound rows."""
    return pa.nulls(rows, PROBLEM)


def of(table: pa.Table) -> pa.Array:
    """The table's `problem` column as one array; all sound where the table has none."""
    if COLUMN not in table.column_names:
        return none(table.num_rows)
    combined = table.column(COLUMN).combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def sound(table: pa.Table) -> pa.Array:
    """Boolean [rows]: true where the row has no problem."""
    return pc.is_null(of(table))


def place(row_id: str) -> tuple[str | None, int | None]:
    """File and line of a row id such as `train.tsv:7`; (None, None) for ids that came with the data."""
    file, _, line = row_id.rpartition(":")
    return (file, int(line)) if file and line.isdecimal() else (None, None)


def at(row_id: str, *, stage: str, kind: str, message: str, value: object = None) -> Problem:
    """A problem of the row with this id; file and line are read off the id."""
    file, line = place(row_id)
    shown = None if value is None else shorten(value)
    return Problem(stage=stage, kind=kind, message=message, value=shown, file=file, line=line)


def first_of_each(earlier: pa.Array, later: Sequence[Problem | None]) -> pa.Array:
    """Per row the earlier problem where there is one, else the later one, [rows]."""
    return pc.coalesce(earlier, column(later))

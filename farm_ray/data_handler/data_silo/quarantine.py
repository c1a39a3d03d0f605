"""Rows with problems: quarantined, counted by kind, stored beside the run, and refused above the allowed share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from farm_ray import storage
from farm_ray.data_handler import problems
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.data_handler.feature_columns import Positions

FILE_NAME = "problems.parquet"
_SHOWN = 5
_MOST_PROPOSED = 0.1
"""Share of bad rows above which something is wrong with the files as a whole: to tolerate it would hide that."""


def sound_rows(features: pa.Table) -> Positions:
    """Positions of the rows without a problem."""
    return np.flatnonzero(problems.sound(features).to_numpy(zero_copy_only=False))


def source_rows(features: pa.Table) -> int:
    """How many rows the features were made from: windows of one text count once."""
    if "window" not in features.column_names:
        return features.num_rows
    return int(np.count_nonzero(features.column("window").to_numpy() == 0))


def table_of(features: pa.Table, *, set_name: str) -> pa.Table:
    """The rows with a problem: set, id and the problem's fields, one row each."""
    source = "dict_id" if "dict_id" in features.column_names else "id"
    bad = features.select([source, problems.COLUMN]).filter(pc.invert(problems.sound(features)))
    fields = problems.of(bad)
    columns = {field.name: pc.struct_field(fields, field.name) for field in problems.PROBLEM}
    return pa.table({"set": pa.array([set_name] * bad.num_rows, pa.string()), "id": bad.column(source), **columns})


def counts(found: pa.Table) -> dict[str, int]:
    """Rows quarantined by kind."""
    groups = found.group_by("kind").aggregate([("kind", "count")]).sort_by("kind")
    return dict(zip(groups["kind"].to_pylist(), groups["kind_count"].to_pylist(), strict=True))


def store(found: pa.Table, folder: Path) -> Path:
    """Writes the problems to `problems.parquet` in `folder`."""
    path = folder / FILE_NAME
    with storage.open_output(path) as out:
        pq.write_table(found, out)
    return path


def refuse(found: pa.Table, rows: int, *, max_share: float, stored: Path | None) -> None:
    """Raises DataProblemError when more than `max_share` of `rows` have a problem; the message shows the first ones."""
    if found.num_rows > max_share * rows:
        raise refusal(found, rows, stored=stored)


def refusal(found: pa.Table, rows: int, *, stored: Path | None) -> DataProblemError:
    """What to raise when so many of `rows` have a problem that they cannot be quarantined."""
    first = found.slice(0, 1).to_pylist()[0]
    # Rounded up: with the share that the message names the next run goes through.
    enough = math.ceil(found.num_rows / rows * 1e4) / 1e4
    allow = f", or allow a share of them to be quarantined: max_problem_share={enough:.4f}"
    return DataProblemError(
        f"{found.num_rows} of {rows} rows have problems {first_ones(found, stored=stored)} "
        f"Fix them{allow if enough <= _MOST_PROPOSED else ''}",
        code="too-many-problems",
        kind=first["kind"],
        file=first["file"],
        row=first["id"],
        value=first["value"],
        problems=found.num_rows,
        rows=rows,
    )


def first_ones(found: pa.Table, *, stored: Path | None) -> str:
    """What is wrong, for a message: the kinds, the first problems, and where all of them are."""
    shown = "; ".join(_told(row) for row in found.slice(0, _SHOWN).to_pylist())
    more = f"; and {found.num_rows - _SHOWN} more" if found.num_rows > _SHOWN else ""
    kinds = ", ".join(f"{number} x {kind}" for kind, number in counts(found).items())
    where = f" All of them: {stored}." if stored else ""
    return f"({kinds}): {shown}{more}.{where}"


def _told(row: dict[str, str | None]) -> str:
    message = str(row["message"])
    identity = str(row["id"])
    return message if identity in message else f"{identity}: {message}"

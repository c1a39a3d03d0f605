"""What callers hand over where a list of dicts is asked for: data frames and tables as their rows, the rest refused."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from io import IOBase
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from farm_ray.errors import ConfigError

RowDict = dict[str, Any]
"""One row as FARM's dict: `text`, labels under their names, and what else the data bring along."""

Row = Mapping[str, Any]
"""The same, to be read only."""

_FORM = '[{"text": "..."}]'


def given_rows(dicts: object, *, name: str = "dicts") -> Iterable[Any]:
    """One element per row: of a DataFrame or Arrow table or array its rows as dicts, else `dicts` itself.

    Missing values of a pandas DataFrame are None. A generator is not read yet.

    Args:
        dicts: What the caller gave.
        name: Of the argument, for messages.

    Raises:
        ConfigError: On one dict, a text, a path, a file, a set, or an array of several dimensions.
    """
    frame = _frame_rows(dicts, name)
    if frame is not None:
        return frame
    if isinstance(dicts, Mapping | str | bytes | AbstractSet | os.PathLike | IOBase) or not isinstance(dicts, Iterable):
        raise ConfigError(
            f"{name} must be a list such as {_FORM}, not one {type(dicts).__name__}{_hint(dicts)}",
            code="invalid-value",
            option=name,
            value=repr(dicts),
        )
    dimensions = getattr(dicts, "ndim", 1)
    if dimensions != 1:
        raise ConfigError(
            f"{name} must be a list such as {_FORM}, not an array of {dimensions} dimensions",
            code="invalid-value",
            option=name,
            value=dimensions,
        )
    return dicts


def given_list(dicts: object, *, name: str) -> list[Any]:
    """As `given_rows`, all read.

    Raises:
        ConfigError: As `given_rows`.
    """
    rows = given_rows(dicts, name=name)
    return rows if isinstance(rows, list) else list(rows)


def given_tables(tables: object) -> Iterator[pa.Table]:
    """Arrow tables, of which one may come by itself.

    Raises:
        ConfigError: On anything else.
    """
    if isinstance(tables, pa.Table):
        tables = [tables]
    if isinstance(tables, Mapping | str | bytes) or not isinstance(tables, Iterable):
        raise ConfigError(
            f"tables must be Arrow tables, not one {type(tables).__name__}",
            code="invalid-value",
            option="tables",
            value=type(tables).__name__,
        )
    for table in tables:
        if not isinstance(table, pa.Table) or not {"id", "text"} <= set(table.column_names):
            found = ", ".join(table.column_names) if isinstance(table, pa.Table) else f"a {type(table).__name__}"
            raise ConfigError(
                f"tables must be Arrow tables with the columns id and text, not {found}",
                code="invalid-value",
                option="tables",
                value=found,
            )
        yield table


def _frame_rows(dicts: Any, name: str) -> list[dict[object, object]] | None:
    """The rows of a data frame or a table; None for anything else."""
    if isinstance(dicts, pa.Table | pa.RecordBatch | pa.Array | pa.ChunkedArray):
        rows: list[dict[Any, Any]] = dicts.to_pylist()
        return rows
    library = type(dicts).__module__.partition(".")[0]
    if not hasattr(dicts, "columns") or library not in {"pandas", "polars"}:
        return None
    if library == "polars":
        return list(dicts.to_dicts()) if hasattr(dicts, "to_dicts") else None
    if not dicts.columns.is_unique:
        twice = dicts.columns[dicts.columns.duplicated()][0]
        raise ConfigError(
            f'{name}: the DataFrame has two columns "{twice}"; rename one',
            code="repeated-column",
            option=name,
            value=twice,
        )
    return list(dicts.astype(object).where(dicts.notna(), None).to_dict("records"))


def _hint(dicts: object) -> str:
    if isinstance(dicts, Mapping) and dicts and all(isinstance(column, list | tuple) for column in dicts.values()):
        return " of columns; give one dict per row"
    if isinstance(dicts, str | os.PathLike) and PurePath(dicts).suffix:
        return "; files are read by inference_from_file, or as train_filename of the processor"
    return ""

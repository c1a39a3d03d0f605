"""Rows of JSON and Parquet files with their values as they are: lists stay lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.data_handler.file_to_dicts.jsonl import check_columns, json_items
from farm_ray.data_handler.file_to_dicts.parquet import BEYOND_PYTHON, parquet_batches, unreadable
from farm_ray.data_handler.problems import Problem
from farm_ray.storage import data_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.table_file import TableFile

Row = tuple[int, dict[str, Any] | Problem]
"""Number of the row (line, or place in the list or file, from 1), and its values by column or what is wrong with it."""


def read_objects(file: TableFile) -> Iterator[list[Row]]:
    """Rows in groups of at most `rows_per_table`; a value that is not there is left out.

    Args:
        file: Which file, and its column -> key in the rows.

    Raises:
        DataProblemError: For an unreadable or empty file, or one without a wanted column.
    """
    if data_suffix(file.uri) == ".parquet":
        for first, batch in parquet_batches(file):
            yield list(enumerate(_values(file, first, batch), first))
    else:
        yield from _json_rows(file)


def _json_rows(file: TableFile) -> Iterator[list[Row]]:
    rows: list[Row] = []
    there: dict[str, None] = {}
    total, checked = 0, False
    for number, item in json_items(file):
        if isinstance(item, dict) and not checked:
            there.update(dict.fromkeys(item))
        rows.append((number, item if isinstance(item, Problem) else _renamed(file, item)))
        if len(rows) == file.rows_per_table:
            checked = checked or check_columns(file, there)
            yield rows
            total, rows = total + len(rows), []
    if not checked:
        check_columns(file, there)
    if rows:
        yield rows
    elif not total:
        raise file.empty("is empty; give a file with at least one row")


def _renamed(file: TableFile, values: dict[str, Any]) -> dict[str, Any]:
    return {key: values[name] for name, key in file.columns.items() if name in values}


def _values(file: TableFile, first: int, batch: pa.RecordBatch) -> list[dict[str, Any] | Problem]:
    try:
        return [_renamed(file, row) for row in batch.to_pylist()]
    except BEYOND_PYTHON as error:
        if batch.num_rows > 1:
            return [_values(file, first + row, batch.slice(row, 1))[0] for row in range(batch.num_rows)]
        if isinstance(error, UnicodeDecodeError):
            return [file.problem(first, "undecodable", "holds bytes that are not utf-8; fix the row")]
        return [file.problem(first, "unreadable value", unreadable(error))]

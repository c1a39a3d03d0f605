"""Rows of JSON and Parquet files with their values as they are: lists stay lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.data_handler.file_to_dicts.jsonl import SeenColumns, items_of
from farm_ray.data_handler.file_to_dicts.parquet import BEYOND_PYTHON, parquet_batches, unreadable
from farm_ray.data_handler.given_rows import RowDict
from farm_ray.data_handler.problems import Problem
from farm_ray.storage import data_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.file_to_dicts.table_file import TableFile

Row = tuple[str, RowDict | Problem]
"""Id of the row (`train.jsonl:7`), and its values by column or what is wrong with it."""


def read_objects(file: TableFile, split: Split | None = None) -> Iterator[list[Row]]:
    """Rows in groups of at most `rows_per_table`; a value that is not there is left out.

    Args:
        file: Which file, and its column -> key in the rows.
        split: Only these rows, of JSON lines or Parquet.

    Raises:
        DataProblemError: For an unreadable or empty file, or one without a wanted column.
    """
    if data_suffix(file.uri) == ".parquet":
        for first, batch in parquet_batches(file, split):
            values = _values(file, first, batch)
            yield [(f"{file.name}:{number}", row) for number, row in enumerate(values, first)]
    else:
        yield from _json_rows(file, split)


def _json_rows(file: TableFile, split: Split | None) -> Iterator[list[Row]]:
    file, items = items_of(file, split)
    rows: list[Row] = []
    columns = SeenColumns(file, split)
    total = 0
    for number, item in items:
        if isinstance(item, dict):
            columns.see(item)
        rows.append((f"{file.name}:{number}", item if isinstance(item, Problem) else _renamed(file, item)))
        if len(rows) == file.rows_per_table:
            columns.check()
            yield rows
            total, rows = total + len(rows), []
    columns.check(last=True)
    if rows:
        yield rows
    elif not total and (split is None or split.is_whole):
        raise file.empty("is empty; give a file with at least one row")


def _renamed(file: TableFile, values: RowDict) -> dict[str, object]:
    return {key: values[name] for name, key in file.columns.items() if name in values}


def _values(file: TableFile, first: int, batch: pa.RecordBatch) -> list[RowDict | Problem]:
    try:
        return [_renamed(file, row) for row in batch.to_pylist()]
    except BEYOND_PYTHON as error:
        if batch.num_rows > 1:
            return [_values(file, first + row, batch.slice(row, 1))[0] for row in range(batch.num_rows)]
        if isinstance(error, UnicodeDecodeError):
            return [file.problem(first, "undecodable", "holds bytes that are not utf-8; fix the row")]
        return [file.problem(first, "unreadable value", unreadable(error))]

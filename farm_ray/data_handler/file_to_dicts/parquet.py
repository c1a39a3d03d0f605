"""Rows of Parquet files, one row group after the other."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.table_file import Cell, TableFile, row_ids
from farm_ray.data_handler.file_to_dicts.values import cell_text
from farm_ray.data_handler.problems import Problem, shorten
from farm_ray.storage.untrusted import pickled_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm_ray.data_handler.file_to_dicts.splits import Split

BEYOND_PYTHON = (OverflowError, ValueError)
"""What Arrow raises for values that Python's own types do not hold, and for texts that are none."""
_AS_IT_IS = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


def read_parquet(file: TableFile, split: Split | None = None) -> Iterator[pa.Table]:
    """The rows of a Parquet file: id (row number from 1), the wanted columns as text (null where null), problem.

    Args:
        file: Which file.
        split: Only the row groups that begin in these bytes.

    Raises:
        DataProblemError: For a file that is no Parquet, has no rows, lacks a wanted column, or holds pickled objects
            in one.
    """
    with _explained(file):
        for number, batch in parquet_batches(file, split):
            yield _table(file, number, batch)


def parquet_batches(file: TableFile, split: Split | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches of the wanted columns as they are, each with the number of its first row, from 1.

    Nothing is unpickled: columns of Ray's pickled objects are refused.

    Args:
        file: Which file.
        split: As for `read_parquet`.

    Raises:
        DataProblemError: As `read_parquet`.
    """
    with file.open(seekable=True) as opened, _explained(file):
        parquet = pq.ParquetFile(opened)
        names = _wanted(file, parquet.schema_arrow)
        if not parquet.metadata.num_rows:
            raise file.empty("has no rows; give a file with at least one row")
        for number, group in _groups(parquet.metadata, split):
            first = number
            for batch in parquet.iter_batches(batch_size=file.rows_per_table, columns=names, row_groups=[group]):
                yield first, batch
                first += batch.num_rows


def _groups(metadata: pq.FileMetaData, split: Split | None) -> Iterator[tuple[int, int]]:
    """Number of the first row, from 1, and number of each row group of a split."""
    first = 1
    for group in range(metadata.num_row_groups):
        about = metadata.row_group(group)
        if split is None or split.end is None or split.start <= _first_byte(about) < split.end:
            yield first, group
        first += about.num_rows


def _first_byte(group: pq.RowGroupMetaData) -> int:
    column = group.column(0)
    return int(min(filter(None, (column.dictionary_page_offset, column.data_page_offset))))


@contextlib.contextmanager
def _explained(file: TableFile) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        told = shorten(" ".join(str(error).split()))
        raise file.error(f"cannot be read as Parquet: {told}; write it again", code="damaged-parquet") from None


def _wanted(file: TableFile, schema: pa.Schema) -> list[str]:
    there = schema.names
    missing = file.missing_columns(there)
    if missing:
        raise file.missing_error(missing, there)
    twice = file.columns_there_twice(there)
    if twice:
        raise file.error(
            f'has the column "{shorten(twice[0])}" twice; give each column a name of its own',
            code="column-there-twice",
            column=twice[0],
        )
    for name in pickled_columns(schema):
        if name in file.columns:
            raise file.error(
                f'has pickled Python objects in the column "{shorten(name)}", which could run code and are never read; '
                "write it as text or numbers",
                code="pickled-columns",
                column=name,
            )
    return [name for name in file.columns if there.count(name) == 1]


def _table(file: TableFile, first: int, batch: pa.RecordBatch) -> pa.Table:
    found: dict[int, Problem] = {}
    columns = {"id": row_ids(file.name, range(first, first + batch.num_rows))}
    for name, output in file.columns.items():
        if name in batch.schema.names:
            column = batch.column(name)
            if output in file.texts and pa.types.is_nested(column.type):
                for row in pc.indices_nonzero(column.is_valid()).to_pylist():
                    found.setdefault(row, file.no_text(first + row, name, column[row].as_py()))
                column = pa.nulls(len(column), pa.string())
            columns[output] = _texts(file, first, column, found)
        else:
            columns[output] = pa.nulls(batch.num_rows, pa.string())
    if found:
        bad = pa.array([row in found for row in range(batch.num_rows)])
        for output in file.columns.values():
            columns[output] = pc.if_else(bad, None, columns[output])
        columns[problems.COLUMN] = problems.column(found.get(row) for row in range(batch.num_rows))
    else:
        columns[problems.COLUMN] = problems.none(batch.num_rows)
    return pa.table(columns)


def _texts(file: TableFile, first: int, column: pa.Array, found: dict[int, Problem]) -> pa.Array:
    """The column as text; problems of its rows go into `found`, by position."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if any(fits(column.type) for fits in _AS_IT_IS) and _is_utf8(column):
        texts = column.cast(pa.string())
    else:
        texts = pa.array(_one_by_one(file, first, column, found), pa.string())
    lengths = pc.fill_null(pc.utf8_length(texts), 0)
    if (pc.max(lengths).as_py() or 0) > file.max_field_chars:
        reason = f"has a field of more than {file.max_field_chars:,} characters; shorten it"
        for row in pc.indices_nonzero(pc.greater(lengths, file.max_field_chars)).to_pylist():
            found.setdefault(row, file.problem(first + row, "field too long", reason))
    return texts


def _is_utf8(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _one_by_one(file: TableFile, first: int, column: pa.Array, found: dict[int, Problem]) -> list[Cell]:
    cells: list[Cell] = []
    for row, value in enumerate(_values(column)):
        cell: Cell = None
        if isinstance(value, Exception):
            found.setdefault(row, file.problem(first + row, "unreadable value", unreadable(value)))
        else:
            try:
                cell = cell_text(value)
            except UnicodeError:
                reason = "holds bytes that are not utf-8; fix the row"
                found.setdefault(row, file.problem(first + row, "undecodable", reason, value))
        cells.append(cell)
    return cells


def unreadable(error: Exception) -> str:
    """What is wrong with a row whose value Python has no type for."""
    return f"holds a value that cannot be read ({shorten(error)}), such as a date after the year 9999; fix the row"


def _values(column: pa.Array) -> list[object]:
    """The values; in the place of one that Python has no type for, the error."""
    try:
        return _plain_values(column)
    except BEYOND_PYTHON as error:
        if len(column) == 1:
            return [error]
        return [_values(column.slice(row, 1))[0] for row in range(len(column))]


def _plain_values(column: pa.Array) -> list[object]:
    if pa.types.is_floating(column.type):
        return list(column.to_numpy(zero_copy_only=False))  # keeps float32's own shortest form
    if any(fits(column.type) for fits in _AS_IT_IS):
        return list(column.cast(pa.large_binary()).to_pylist())
    return list(column.to_pylist())

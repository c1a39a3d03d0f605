"""Rows of any table file as Arrow tables: the reader by suffix, several files in turn, a sample where one is wanted."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.delimited import cut_delimited, read_delimited, survey_delimited
from farm_ray.data_handler.file_to_dicts.dialect import Dialect
from farm_ray.data_handler.file_to_dicts.empty_files import tables_of_all
from farm_ray.data_handler.file_to_dicts.jsonl import read_json_rows
from farm_ray.data_handler.file_to_dicts.parquet import read_parquet
from farm_ray.data_handler.file_to_dicts.splits import Split, cut
from farm_ray.data_handler.file_to_dicts.survey import Survey, line_survey
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.errors import ConfigError
from farm_ray.reproducibility import hash_ids, random_bits
from farm_ray.storage import data_suffix, file_name, list_files, redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

SAMPLE_STREAM = 2
"""Keeps the choice of `max_samples` apart from the other random numbers of a row."""

_NO_TABLES = {
    ".xlsx": "an Excel workbook",
    ".xls": "an Excel workbook",
    ".ods": "a spreadsheet",
    ".zip": "a ZIP archive",
    ".tar": "a TAR archive",
}


@strict_arguments
def read_rows(
    uri: str | Path,
    *,
    columns: Mapping[str, str],
    delimiter: str = "\t",
    quote_char: str | None = '"',
    skiprows: int | None = None,
    header: int | None = 0,
    encoding: str = "utf-8",
    max_samples: int | None = None,
    seed: int = 42,
    optional: Collection[str] = (),
    texts: Collection[str] = (),
    max_field_chars: int = 500_000,
    rows_per_table: int = 5000,
    proxies: Mapping[str, str] | None = None,
    split: Split | None = None,
) -> Iterator[pa.Table]:
    """The rows of a file, or of all files of a folder or pattern, in order, as tables.

    Every table has `id` (`train.tsv:7`: file and line where the row starts, or row number for lists and Parquet), the
    wanted columns as strings and `problem`. A row that cannot be read keeps its place, with null cells and its problem.
    Empty cells of TSV and CSV are "", null in JSON and Parquet is null, other values are written as Python's str does,
    lists and objects as JSON.

    Args:
        uri: File, folder or pattern; .jsonl and .json, .parquet, all others as delimited text; .gz, .bz2, .zst too.
        columns: Column in the file -> column in the tables.
        delimiter: One character between fields (TSV and CSV, as the next four).
        quote_char: One character around fields, doubled inside; None for no quoting.
        skiprows: Physical lines before the header that are not read.
        header: Row that names the columns, from 0; None where no row does, then they are called "0", "1", ...
        encoding: Of the text.
        max_samples: Rows to draw from all files at most, by seed and row id, in file order; None for all. Needs a whole
            pass.
        seed: For `max_samples`.
        optional: Columns in the file that may be missing; they come out null.
        texts: Columns of the tables in which a list or an object is a problem of its row.
        max_field_chars: A longer field is a problem of its row.
        rows_per_table: Rows in every table but a file's last.
        proxies: Scheme to proxy address, for web addresses.
        split: Only these rows of the file; ids begin with its name.

    Raises:
        ConfigError: For an invalid option.
        DataProblemError: While reading, for a file that is missing or unreadable as a whole, lacks a column or has it
            twice, and where no file has a row.
    """
    dialect = Dialect(delimiter=delimiter, quote_char=quote_char, skiprows=skiprows, header=header, encoding=encoding)
    _check(columns, max_samples, max_field_chars, rows_per_table)
    files = list_files(uri) if split is None else [split.file]
    names = row_names(files) if split is None or split.name is None else [split.name]
    tables = tables_of_all(
        _read_one(
            TableFile(
                uri=address,
                name=name,
                columns=dict(columns),
                optional=tuple(optional),
                texts=tuple(texts),
                max_field_chars=max_field_chars,
                rows_per_table=rows_per_table,
                proxies=proxies,
                encoding=encoding,
            ),
            dialect,
            split,
        )
        for address, name in zip(files, names, strict=True)
    )
    return tables if max_samples is None else sampled(tables, max_samples, seed=seed, rows_per_table=rows_per_table)


def cut_rows(file: TableFile, dialect: Dialect, target_bytes: int) -> list[Split]:
    """The splits of a table file: of TSV, CSV and JSON lines by rows, of Parquet by row groups; one of any other."""
    suffix = data_suffix(file.uri)
    if suffix in (".jsonl", ".parquet"):
        return cut(file.uri, target_bytes)
    if suffix == ".json" or suffix in _NO_TABLES:
        return [Split(file.uri)]
    return cut_delimited(file, dialect, target_bytes)


def survey_rows(file: TableFile, dialect: Dialect, split: Split, *, lines_wanted: bool) -> Survey | None:
    """As `survey_delimited`, for a split from `cut_rows`."""
    suffix = data_suffix(file.uri)
    if suffix == ".parquet":
        return None
    if suffix == ".jsonl":
        return line_survey(split) if lines_wanted else None
    return survey_delimited(file, dialect, split, lines_wanted=lines_wanted)


def _read_one(file: TableFile, dialect: Dialect, split: Split | None) -> Iterator[pa.Table]:
    suffix = data_suffix(file.uri)
    if suffix in (".json", ".jsonl"):
        return read_json_rows(file, split)
    if suffix == ".parquet":
        return read_parquet(file, split)
    if suffix in _NO_TABLES:
        raise file.error(f"is {_NO_TABLES[suffix]}; save it as CSV, JSON lines or Parquet", code="not-a-table")
    return read_delimited(file, dialect, split)


def _check(columns: Mapping[str, str], max_samples: int | None, max_field_chars: int, rows_per_table: int) -> None:
    outputs = list(columns.values())
    for name in outputs:
        if name in ("id", problems.COLUMN) or outputs.count(name) > 1:
            raise ConfigError(
                f'columns: "{name}" cannot be the name of a wanted column, it is taken; choose another',
                code="name-is-taken",
                option="columns",
                value=name,
            )
    if not columns:
        raise ConfigError(
            "columns is empty; name at least one column of the file", code="missing-option", option="columns"
        )
    for option, value in {
        "max_samples": max_samples,
        "max_field_chars": max_field_chars,
        "rows_per_table": rows_per_table,
    }.items():
        if value is not None and value < 1:
            raise ConfigError(
                f"{option} must be a number from 1, not {value!r}",
                code="invalid-value",
                option=option,
                value=value,
            )


def row_names(files: Sequence[str]) -> list[str]:
    """What the row ids of each file begin with: its name, or its path below the common folder where names meet."""
    names = [file_name(file) for file in files]
    if len(set(names)) == len(names):
        return names
    shown = [redacted(file) for file in files]
    common = posixpath.commonpath(shown)
    return [posixpath.relpath(path, common) for path in shown]


def sampled(tables: Iterable[pa.Table], wanted: int, *, seed: int, rows_per_table: int = 5000) -> Iterator[pa.Table]:
    """So many rows at most, those with the smallest random numbers, in their order; holds about twice as many."""
    kept: list[pa.Table] = []
    held = 0
    for table in tables:
        kept.append(table)
        held += table.num_rows
        if held > 2 * wanted + rows_per_table:
            kept = [_smallest(kept, wanted, seed)]
            held = kept[0].num_rows
    if not kept:
        return
    chosen = _smallest(kept, wanted, seed)
    # A table without rows has columns still.
    for start in range(0, max(1, chosen.num_rows), rows_per_table):
        yield chosen.slice(start, rows_per_table)


def _smallest(tables: list[pa.Table], wanted: int, seed: int) -> pa.Table:
    table = pa.concat_tables(tables)
    bits = random_bits(seed, 0, hash_ids(table["id"]), stream=SAMPLE_STREAM)
    rows = np.sort(np.argsort(bits, kind="stable")[:wanted])
    return table.take(rows).combine_chunks()

"""FARM's reader of TSV files: a list of dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.tables import read_rows
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@strict_arguments
def read_tsv(
    filename: str | Path,
    rename_columns: Mapping[str, str],
    quotechar: str | None = '"',
    delimiter: str = "\t",
    skiprows: int | None = None,
    header: int | None = 0,
    proxies: Mapping[str, str] | None = None,
    max_samples: int | None = None,
) -> list[dict[str, str]]:
    """One dict per row, with the values of `rename_columns` as keys; empty cells are "".

    Args:
        filename: As `uri` of `read_rows`, and the other arguments as there.
        rename_columns: Column in the file -> key in the dicts; other columns are not read.
        quotechar: As `quote_char`.
        delimiter: One character between fields.
        skiprows: Physical lines before the header that are not read.
        header: Row that names the columns, from 0.
        proxies: Scheme to proxy address, for web addresses.
        max_samples: A random sample of this many rows at most, in file order, the same in every call.

    Raises:
        DataProblemError: For a file or column that is not there, and for the first row that cannot be read.
    """
    rows: list[dict[str, str]] = []
    for table in read_rows(
        filename,
        columns=rename_columns,
        quote_char=quotechar,
        delimiter=delimiter,
        skiprows=skiprows,
        header=header,
        proxies=proxies,
        max_samples=max_samples,
    ):
        bad = table.filter(pc.is_valid(table[problems.COLUMN]))
        if bad.num_rows:
            problem = bad[problems.COLUMN][0].as_py()
            raise DataProblemError(
                problem["message"],
                code="unreadable-line",
                kind=problem["kind"],
                file=problem["file"],
                row=problem["line"],
            )
        rows += table.select(list(rename_columns.values())).to_pylist()
    return rows

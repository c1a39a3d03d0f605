"""Files without rows: one among others is told and left out, a set of nothing else is refused."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.errors import DataProblemError
from farm_ray.storage import redacted, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

logger = logging.getLogger(__name__)

_SHOWN = 3
_LOOK_BYTES = 64 << 10
"""A file without rows is no larger: a header, or the schema of a Parquet file."""
_LOOKS_AT_ONCE = 16


def no_rows(message: str, file: str) -> DataProblemError:
    """The error for a file without rows."""
    return DataProblemError(message, code="empty-file", file=file)


def has_no_rows(error: DataProblemError) -> bool:
    """Whether the error says that a file holds no rows, and is sound otherwise."""
    return error.code == "empty-file"


def tables_of_all(files: Iterable[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """The tables of several files, one file after the other; those without rows are told.

    Raises:
        DataProblemError: What a reader raises, and what the first one says where all files are without rows.
    """
    empty: list[DataProblemError] = []
    filled = False
    for tables in files:
        try:
            for table in tables:
                filled = True
                yield table
        except DataProblemError as error:
            if not has_no_rows(error):
                raise
            empty.append(error)
    if empty and not filled:
        raise empty[0]
    _tell([str(error.facts["file"]) for error in empty])


def filled_files(files: Sequence[str], read: Callable[[Split], Iterator[pa.Table]]) -> list[str]:
    """The files that hold rows; the others are told. Of one file alone, and where none holds rows, all files.

    Looks into small files only, before they are handed to readers that know of one file each and refuse it when it has
    no rows.

    Args:
        files: The files of a set.
        read: Gives the tables of a split.
    """
    if len(files) == 1:
        return list(files)
    with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
        found = zip(files, pool.map(lambda file: _holds_rows(file, read), files), strict=True)
        filled = [file for file, holds_rows in found if holds_rows]
    if not filled:
        return list(files)
    _tell([redacted(file) for file in files if file not in set(filled)])
    return filled


def _holds_rows(file: str, read: Callable[[Split], Iterator[pa.Table]]) -> bool:
    """False where that is sure; what else is wrong with a file is told by who reads it."""
    found = size(file)
    if found is None or found > _LOOK_BYTES:
        return True
    try:
        return any(table.num_rows for table in read(Split(file)))
    except DataProblemError as error:
        return not has_no_rows(error)


def _tell(names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        logger.warning("%s%s: no rows, left out", ", ".join(names[:_SHOWN]), more)

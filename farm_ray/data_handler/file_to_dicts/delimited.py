"""TSV and CSV files: the header, then rows into tables."""

from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from farm_ray.data_handler.file_to_dicts.encodings import plain_name, text_encoding
from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds, first_row_of_tables
from farm_ray.data_handler.file_to_dicts.lines import read_blocks
from farm_ray.data_handler.file_to_dicts.records import Records
from farm_ray.data_handler.file_to_dicts.table_file import Rows, TableFile
from farm_ray.data_handler.problems import Problem, shorten
from farm_ray.errors import DataProblemError
from farm_ray.storage import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.dialect import Dialect

_USUAL_DELIMITERS = ("\t", ",", ";", "|")
_LOOK_BYTES = 4 << 20


def read_delimited(file: TableFile, dialect: Dialect) -> Iterator[pa.Table]:
    r"""The rows of a TSV or CSV file: id (line where the row starts), the wanted columns as written, problem.

    Rows are those of pandas: what a rightly closed quote encloses is a field, whatever it holds; what becomes of broken
    quotes says `records`. Lines with nothing but delimiters and white space are no rows. Line ends may be `\n`,
    `\r\n` or, where the first one is, bare `\r`; these are `\n` inside of quotes, too.

    Raises:
        DataProblemError: For an unreadable or empty file, a header that is broken, or columns that are not there.
    """
    with file.open() as opened:
        yield from _tables(file, dialect, opened)


def report_enclosed_rows(file: TableFile, dialect: Dialect) -> None:
    """Logs whether quotes make one row of several near the begin of the file, as `read_delimited` does where it reads.

    For processes that leave the reading to others. Whatever is wrong with the file is reported by who reads it.
    """
    if dialect.quote_char is None:
        return
    with contextlib.suppress(DataProblemError):
        with file.open() as opened:
            begin = opened.read(_LOOK_BYTES)
        # The last line may be cut off.
        whole = begin if len(begin) < _LOOK_BYTES else begin[: begin.rfind(b"\n") + 1]
        for _ in _tables(file, dialect, io.BytesIO(whole)):
            pass


def _tables(file: TableFile, dialect: Dialect, opened: BinaryIO) -> Iterator[pa.Table]:
    csv.field_size_limit(max(csv.field_size_limit(), file.max_field_chars))
    records = _records(file, dialect, opened)
    names = _column_names(file, dialect, records)
    rows = Rows(file)
    for _ in records.read_into(rows, len(names), _places(file, dialect, names)):
        yield from rows.tables()
    yield from rows.tables(rest=True)
    records.enclosed.report(redacted(file.uri))
    if not rows.total:
        raise file.empty("has a header but no rows; give a file with at least one row")


def shown_delimiter(file: TableFile, dialect: Dialect) -> str | None:
    """Another usual delimiter with which the header has the wanted columns; None where it has them as it is, or never.

    Raises:
        DataProblemError: When the file cannot be read.
    """
    if dialect.header is None or _has_columns(file, dialect):
        return None
    others = (replace(dialect, delimiter=sign) for sign in _USUAL_DELIMITERS if sign not in _signs_of(dialect))
    return next((other.delimiter for other in others if _has_columns(file, other)), None)


def _signs_of(dialect: Dialect) -> str:
    return f"{dialect.delimiter}{dialect.quote_char or ''}"


def _has_columns(file: TableFile, dialect: Dialect) -> bool:
    with file.open() as opened:
        records = _records(file, dialect, opened)
        try:
            return not file.missing_columns(_column_names(file, dialect, records))
        except DataProblemError as error:
            if error.facts.get("transient"):
                raise
            # Whatever is wrong is reported by who reads it.
            return False


def _records(file: TableFile, dialect: Dialect, opened: BinaryIO) -> Records:
    """The records from the header on."""
    encoding = plain_name(text_encoding(file.uri, dialect.encoding, file.proxies))
    delimiter, quote = (sign.encode(encoding, "replace") for sign in (dialect.delimiter, dialect.quote_char or ""))
    line_ends = LineEnds(first_row_of_tables(delimiter, quote))
    records = Records(file, dialect, read_blocks(opened, encoding, line_ends=line_ends))
    records.skip_lines(dialect.skiprows or 0)
    return records


def _column_names(file: TableFile, dialect: Dialect, records: Records) -> list[str]:
    if dialect.header is None:
        return [str(position) for position in range(records.first_width())]
    row: list[str] | Problem | None = []
    for _ in range(dialect.header + 1):
        row = records.next_row()
    if row is None:
        told = "is empty" if records.at_start() else "has no header row"
        before = {"skiprows": dialect.skiprows, "header": dialect.header}
        asked = [f"{name}={value}" for name, value in before.items() if value]
        hint = f"check {' and '.join(asked)}" if asked else "give a file with a header and at least one row"
        raise file.empty(f"{told}; {hint}")
    if isinstance(row, Problem):
        raise DataProblemError(f"the header cannot be read: {row.message}", file=row.file, row=row.line)
    return [name.strip() for name in row]


def _places(file: TableFile, dialect: Dialect, names: Sequence[str]) -> list[int | None]:
    """Where each wanted column stands; None for an optional one that is missing, or there twice."""
    missing = file.missing_columns(names)
    if missing:
        if dialect.header is None:
            raise file.missing_by_position(missing, len(names))
        raise file.missing_error(missing, [name for name in names if name], _header_hint(dialect, names))
    twice = file.columns_there_twice(names)
    if twice:
        raise file.error(f'names the column "{shorten(twice[0])}" twice in its header; give each a name of its own')
    return [names.index(name) if names.count(name) == 1 else None for name in file.columns]


def _header_hint(dialect: Dialect, names: Sequence[str]) -> str:
    if len(names) > 1:
        return ""
    inside = [sign for sign in _USUAL_DELIMITERS if sign in names[0] and sign != dialect.delimiter]
    advice = f"give delimiter={inside[0]!r}" if inside else "check the delimiter"
    return f"; the header looks like one column with delimiter={dialect.delimiter!r}: {advice}"

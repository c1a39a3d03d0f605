"""TSV and CSV files: the header, then rows into tables."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from farm_ray.data_handler.file_to_dicts.encodings import plain_name, text_encoding
from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds, first_row_of_tables
from farm_ray.data_handler.file_to_dicts.lines import read_blocks
from farm_ray.data_handler.file_to_dicts.records import LONGEST_ROW, Records
from farm_ray.data_handler.file_to_dicts.splits import LINE, Split, cut, open_split, settled
from farm_ray.data_handler.file_to_dicts.survey import Survey, line_survey, quote_survey
from farm_ray.data_handler.file_to_dicts.table_file import Rows, TableFile, first_line, named_part
from farm_ray.data_handler.problems import Problem, shorten
from farm_ray.errors import DataProblemError
from farm_ray.storage import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.dialect import Dialect

_USUAL_DELIMITERS = ("\t", ",", ";", "|")
_LOOK_BYTES = 4 << 20
_SINGLE_BYTES = ("utf-8", "ascii", "iso8859", "latin", "cp125", "cp437", "cp85", "koi8", "mac")
"""Begins of Python's names of encodings where the bytes of ASCII stand for nothing else."""


def cut_delimited(file: TableFile, dialect: Dialect, target_bytes: int) -> list[Split]:
    """The splits of a TSV or CSV file; one where its lines cannot be told from its bytes.

    That is where lines end with bare carriage returns, and in encodings in which the byte of a delimiter or a quote
    may be part of another character.
    """
    splits = cut(file.uri, target_bytes)
    if len(splits) > 1 and not _has_plain_lines(file, dialect):
        return [Split(file.uri)]
    return splits


def survey_delimited(file: TableFile, dialect: Dialect, split: Split, *, lines_wanted: bool) -> Survey | None:
    """What has to be known of a split of a file that was cut; None for nothing.

    Args:
        file: The file.
        dialect: How it is written.
        split: From `cut_delimited`.
        lines_wanted: Whether rows are to be named by their line in the file.
    """
    if dialect.quote_char is None:
        return line_survey(split, line_ends=LineEnds.as_they_are()) if lines_wanted else None
    return quote_survey(
        split,
        delimiter=dialect.delimiter,
        quote=dialect.quote_char,
        encoding=plain_name(text_encoding(file.uri, dialect.encoding, file.proxies)),
        skipped_lines=dialect.skiprows or 0,
        longest_row=max(LONGEST_ROW, file.max_field_chars),
    )


def read_delimited(file: TableFile, dialect: Dialect, split: Split | None = None) -> Iterator[pa.Table]:
    r"""The rows of a TSV or CSV file: id (line where the row starts), the wanted columns as written, problem.

    Rows are those of pandas: what a rightly closed quote encloses is a field, whatever it holds; what becomes of broken
    quotes says `records`. Lines with nothing but delimiters and white space are no rows. Line ends may be `\n`,
    `\r\n` or, where the first one is, bare `\r`; these are `\n` inside of quotes, too.

    Args:
        file: Which file.
        dialect: How it is written.
        split: Only these rows; where quotes are read, from `survey.numbered`, so that it begins with a row.

    Raises:
        DataProblemError: For an unreadable or empty file, a header that is broken, or columns that are not there.
    """
    with file.open() as opened:
        if split is None or split.is_whole:
            yield from _tables(file, dialect, opened)
            return
        csv.field_size_limit(max(csv.field_size_limit(), file.max_field_chars))
        records = _records(file, dialect, opened)
        names = _column_names(file, dialect, records)
        places, header_lines = _places(file, dialect, names), records.lines_read()
        header_bytes = _bytes_of_lines(file, header_lines)
    part = settled(split, LINE)
    assert part.end is not None
    if part.start < header_bytes:
        part = replace(part, start=header_bytes, end=max(header_bytes, part.end), first_line=header_lines + 1)
    with open_split(part) as opened:
        named = named_part(file, part)
        encoding = plain_name(text_encoding(file.uri, dialect.encoding, file.proxies))
        blocks = read_blocks(opened, encoding, first=first_line(part), line_ends=LineEnds.as_they_are())
        rows = Rows(named)
        for _ in Records(named, dialect, blocks).read_into(rows, len(names), places):
            yield from rows.tables()
        yield from rows.tables(rest=True)


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


def _has_plain_lines(file: TableFile, dialect: Dialect) -> bool:
    """Whether line feeds end lines, and delimiter and quote are bytes of their own."""
    name = plain_name(text_encoding(file.uri, dialect.encoding, file.proxies))
    if not name.startswith(_SINGLE_BYTES) or not _signs_of(dialect).isascii():
        return False
    with file.open() as opened:
        line = opened.readline(_LOOK_BYTES)
    return line.endswith(b"\n") and b"\r" not in line.rstrip(b"\r\n")


def _bytes_of_lines(file: TableFile, lines: int) -> int:
    with file.open() as opened:
        return sum(map(len, itertools.islice(opened, lines)))


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
        raise DataProblemError(
            f"the header cannot be read: {row.message}",
            code="unreadable-header",
            kind=row.kind,
            file=row.file,
            row=row.line,
        )
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
        raise file.error(
            f'names the column "{shorten(twice[0])}" twice in its header; give each a name of its own',
            code="column-there-twice",
            column=twice[0],
        )
    return [names.index(name) if names.count(name) == 1 else None for name in file.columns]


def _header_hint(dialect: Dialect, names: Sequence[str]) -> str:
    if len(names) > 1:
        return ""
    inside = [sign for sign in _USUAL_DELIMITERS if sign in names[0] and sign != dialect.delimiter]
    advice = f"give delimiter={inside[0]!r}" if inside else "check the delimiter"
    return f"; the header looks like one column with delimiter={dialect.delimiter!r}: {advice}"

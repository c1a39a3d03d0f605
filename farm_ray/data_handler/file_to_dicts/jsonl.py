"""Rows of JSON files: one object per line (.jsonl, .json), or one list of objects (.json)."""

from __future__ import annotations

import io
import itertools
import json
from typing import TYPE_CHECKING

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.file_to_dicts.encodings import UTF8, encoding_hint, plain_name, text_encoding
from farm_ray.data_handler.file_to_dicts.lines import BadLine, read_blocks
from farm_ray.data_handler.file_to_dicts.splits import LINE, Split, open_split, settled
from farm_ray.data_handler.file_to_dicts.table_file import Cell, Rows, TableFile, first_line, named_part
from farm_ray.data_handler.file_to_dicts.values import cell_text
from farm_ray.data_handler.given_rows import Row, RowDict
from farm_ray.data_handler.problems import Problem, shorten
from farm_ray.errors import DataProblemError
from farm_ray.storage import data_suffix, file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa

Item = tuple[int, RowDict | Problem]
"""Number of the row (its line, or its place in the list, from 1), and the object or what is wrong with it."""

LONGEST_LIST = 1 << 30
"""Bytes of a JSON file that is one list, which is held as a whole."""
_PEEK = 4096


@strict_arguments
def read_jsonl(file: str | Path, proxies: Mapping[str, str] | None = None) -> list[dict[str, object]]:
    """The objects of a JSON lines file (or of a .json file that holds a list), in order.

    Args:
        file: Local path, s3:// or web address; .gz, .bz2 and .zst too.
        proxies: Scheme to proxy address, for web addresses.

    Raises:
        DataProblemError: When the file cannot be read, and for the first line that is no object; names the line.
    """
    source = TableFile(uri=str(file), name=file_name(file), columns={}, proxies=proxies)
    objects: list[dict[str, object]] = []
    for _, item in json_items(source):
        if isinstance(item, Problem):
            raise DataProblemError(item.message, code="unreadable-line", kind=item.kind, file=item.file, row=item.line)
        objects.append(item)
    return objects


def read_json_rows(file: TableFile, split: Split | None = None) -> Iterator[pa.Table]:
    """The rows of a JSON file: id, the wanted columns as text (null where null or left out), problem.

    Args:
        file: Which file.
        split: Only these rows, of JSON lines.

    Raises:
        DataProblemError: For an unreadable or empty file, or when none of the first rows has a wanted column.
    """
    file, items = items_of(file, split)
    rows = Rows(file)
    columns = SeenColumns(file, split)
    for number, item in items:
        cells: list[Cell] = [None] * len(file.columns)
        problem = item if isinstance(item, Problem) else None
        if isinstance(item, dict):
            columns.see(item)
            cells, problem = _cells(file, number, item)
        rows.add([number], [[cell] for cell in cells], {0: problem} if problem else None)
        if len(rows.numbers) >= file.rows_per_table:
            columns.check()
            yield from rows.tables()
    columns.check(last=True)
    yield from rows.tables(rest=True)
    if not rows.total and (split is None or split.is_whole):
        raise file.empty("is empty; give a file with at least one row")


class SeenColumns:
    """The columns of the first objects of a file, of which every wanted one must be in at least one.

    Args:
        file: Which file.
        split: What of it is read; columns are looked for in the first split only.
    """

    def __init__(self, file: TableFile, split: Split | None) -> None:
        self._file, self._split = file, split
        self._there: dict[str, None] = {}
        self._checked = split is not None and split.start > 0

    def see(self, item: Row) -> None:
        """Takes in an object."""
        if not self._checked:
            self._there.update(dict.fromkeys(item))

    def check(self, *, last: bool = False) -> None:
        """Raises DataProblemError where no object so far has a wanted column; does nothing while there is no object.

        Args:
            last: There are no more objects in the split. Those of a small one are too few to tell.
        """
        if self._checked:
            return
        if last and self._split is not None and not self._split.is_whole and self._file.missing_columns(self._there):
            for _, item in itertools.islice(json_items(self._file), self._file.rows_per_table):
                self.see(item if isinstance(item, dict) else {})
        missing = self._file.missing_columns(self._there)
        if missing and self._there:
            raise self._file.missing_error(missing, list(self._there))
        self._checked = bool(self._there)


def _cells(file: TableFile, number: int, values: Row) -> tuple[list[Cell], Problem | None]:
    for name, output in file.columns.items():
        if output in file.texts and isinstance(values.get(name), list | dict):
            return [None] * len(file.columns), file.no_text(number, name, values[name])
    try:
        cells = [cell_text(values.get(name)) for name in file.columns]
    except UnicodeError:
        reason = "holds half of a surrogate pair (such as \\ud83d), which is no character; fix the line"
        return [None] * len(file.columns), file.problem(number, "undecodable", reason)
    longest = max((len(cell) for cell in cells if cell is not None), default=0)
    if longest > file.max_field_chars:
        reason = f"has a field of more than {file.max_field_chars:,} characters; shorten it"
        return [None] * len(file.columns), file.problem(number, "field too long", reason)
    return cells, None


def settled_part(file: TableFile, split: Split | None) -> tuple[TableFile, Split | None]:
    """A split of JSON lines with settled borders, and the file as it names the rows of it; None for the whole file."""
    if split is None or split.is_whole:
        return file, None
    part = settled(split, LINE)
    return named_part(file, part), part


def items_of(file: TableFile, split: Split | None) -> tuple[TableFile, Iterator[Item]]:
    """The objects of a split of JSON lines, or of the whole file, and the file as it names their rows."""
    file, part = settled_part(file, split)
    return file, json_items(file) if part is None else _part_items(file, part)


def _part_items(file: TableFile, part: Split) -> Iterator[Item]:
    with open_split(part) as opened:
        encoding = text_encoding(file.uri, file.encoding, file.proxies)
        yield from _line_items(file, opened, encoding, first_line(part))


def json_items(file: TableFile) -> Iterator[Item]:
    """The objects of a JSON file, one after the other, with a problem in the place of what is none.

    Raises:
        DataProblemError: For an unreadable file, or one that holds no JSON as a whole.
    """
    encoding = text_encoding(file.uri, file.encoding, file.proxies)
    with file.open() as opened:
        if data_suffix(file.uri) == ".json" and _is_list(opened):
            yield from _list_items(file, opened, encoding)
        else:
            yield from _line_items(file, opened, encoding)


def _is_list(opened: BinaryIO) -> bool:
    start = io.BufferedReader.peek(opened, _PEEK) if isinstance(opened, io.BufferedReader) else b""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _line_items(file: TableFile, opened: BinaryIO, encoding: str, first: int = 1) -> Iterator[Item]:
    for block in read_blocks(opened, encoding, first=first):
        for number, line in enumerate(block.lines, block.first):
            if isinstance(line, BadLine):
                yield number, file.problem(number, line.kind, line.reason, line.value)
            elif line and not line.isspace():
                yield number, _parsed(file, number, line)


def _parsed(file: TableFile, number: int, line: str) -> dict[str, object] | Problem:
    try:
        # A file that was joined from several has marks in its middle.
        value = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        told = f" at character {error.pos + 1}: {error.msg}" if isinstance(error, json.JSONDecodeError) else _why(error)
        reason = f"is not valid JSON{told}; write one object per line, or fix the line"
        return file.problem(number, "broken JSON", reason, line.rstrip("\r\n"))
    return _object(file, number, value)


def _why(error: Exception) -> str:
    """Python's own words are about its settings."""
    deep = isinstance(error, RecursionError)
    return ": it is nested too deeply" if deep else ": it holds a number of more than 4,300 digits"


def _object(file: TableFile, number: int, value: object) -> dict[str, object] | Problem:
    if isinstance(value, dict):
        return value
    reason = 'is no JSON object; write each row as an object, such as {"text": ...}'
    return file.problem(number, "no object", reason, value)


def _list_items(file: TableFile, opened: BinaryIO, encoding: str) -> Iterator[Item]:
    content = opened.read(LONGEST_LIST + 1)
    if len(content) > LONGEST_LIST:
        raise file.error(
            f"is one list of more than {LONGEST_LIST:,} bytes; write one object per line (.jsonl)", code="list-too-long"
        )
    try:
        values = json.loads(content.decode("utf-8-sig" if plain_name(encoding) == UTF8 else encoding))
    except UnicodeDecodeError as error:
        told = f"is not {encoding}: {error.reason} at byte {error.start + 1}"
        raise file.error(f"{told}; {encoding_hint(encoding)}", code="wrong-encoding", value=encoding) from None
    except json.JSONDecodeError as error:
        where = f"in line {error.lineno} at character {error.colno}: {shorten(error.msg)}"
        raise file.error(
            f"is not valid JSON {where}; fix it, or write one object per line (.jsonl)",
            code="malformed-json",
            row=error.lineno,
        ) from None
    except (ValueError, RecursionError) as error:
        raise file.error(
            f"is not valid JSON{_why(error)}; write one object per line (.jsonl)", code="malformed-json"
        ) from None
    for number, value in enumerate(values, 1):
        yield number, _object(file, number, value)

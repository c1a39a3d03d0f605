"""Rows of delimited text, as the csv module and pandas read them; one that cannot be read is told, with its lines.

A quote that is rightly closed (a delimiter or a line end follows) encloses all that lies between, whatever it is: with
the right number of fields its lines are one row, else one problem, and no row is ever made of any of them. A quote that
is never rightly closed, up to the end of the file or for `LONGEST_ROW` characters, encloses nothing: its line is a
problem, and reading resumes at the next one. `row_borders` says it in full.
"""

from __future__ import annotations

import csv
import itertools
import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from farm_ray.data_handler.file_to_dicts.enclosed_rows import EnclosedRows
from farm_ray.data_handler.file_to_dicts.lines import BadLine, Block
from farm_ray.data_handler.file_to_dicts.row_borders import RowBorder, row_border

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from farm_ray.data_handler.file_to_dicts.dialect import Dialect
    from farm_ray.data_handler.file_to_dicts.table_file import Cell, Rows, TableFile

from farm_ray.data_handler.problems import Problem

LONGEST_ROW = 16 << 20
"""Characters that are held at once to find the end of a quoted field."""
_LOOK_AHEAD = 100
_WHITE = " \t\r\n"


class Records:
    """Rows from physical lines.

    What is known of a quote that is not rightly closed is kept: lines in which no open quote is closed need not be
    looked through again for the next such quote, so the cost stays in proportion to the file.
    """

    def __init__(self, file: TableFile, dialect: Dialect, blocks: Iterator[Block]) -> None:
        self.enclosed = EnclosedRows(dialect)
        self._file = file
        self._dialect = dialect
        self._blocks = blocks
        self._options = dialect.reader_options()
        self._width: int | None = None  # fields of a sound row, once known
        self._lines: list[str | BadLine] = []
        self._first = 1  # number of the first of these lines
        self._at = 0  # the next line to take
        self._start = 0  # where the present row starts
        self._kept: int | None = None  # where a row starts that will be read again
        self._chars = 0  # of the present row
        self._hopeless = 0  # no quote that is open at the start of lines up to this number is rightly closed
        self._long_rows = False  # whether a row of the last block that was read row by row has several lines
        self._reader = self._new_reader()
        sign = re.escape(dialect.delimiter)
        self._blank = re.compile(rf"\n[{sign}{_WHITE}]*\n")

    def at_start(self) -> bool:
        """True where nothing has been read, because there is nothing."""
        return self._first + self._at == 1

    def lines_read(self) -> int:
        """Physical lines that were taken so far."""
        return self._first + self._at - 1

    def skip_lines(self, count: int) -> None:
        """Leaves out physical lines."""
        while count and (self._at < len(self._lines) or self._load()):
            step = min(count, len(self._lines) - self._at)
            self._at += step
            count -= step

    def next_row(self) -> list[str] | Problem | None:
        """The next row that is not blank, a problem in its place, or None at the end."""
        while self._at < len(self._lines) or self._load():
            row = self._take()
            if row:
                return row
        return None

    def first_width(self) -> int:
        """The number of fields of the first readable row near the start; nothing counts as read.

        Raises:
            DataProblemError: When there is no such row.
        """
        if self._at == len(self._lines) and not self._load():
            raise self._file.empty("is empty; give a file with at least one row")
        begin = self._first + self._at
        self._kept = self._at
        width = None
        while width is None and self._first + self._at < begin + _LOOK_AHEAD and self._has_line():
            row = self._take()
            width = None if isinstance(row, Problem) else len(row) or None
        self._at, self._kept = begin - self._first, None
        self._reader = self._new_reader()
        if width is None:
            reason = f"has no readable row in its first {_LOOK_AHEAD} lines; check delimiter and quote_char"
            raise self._file.error(reason, code="no-readable-row")
        return width

    def read_into(self, rows: Rows, width: int, places: Sequence[int | None]) -> Iterator[None]:
        """Adds all rows, with a problem for those that do not have `width` fields; pauses after every block."""
        self._width = width
        block = self._rest()
        while block:
            plain = self._plain_rows(block)
            if plain is None:
                numbers, taken, found = self._careful_rows()
                rows.add(numbers, _columns(taken, places), found)
            else:
                rows.add(range(block.first, block.first + len(plain)), _columns(plain, places))
                self._at = len(self._lines)
            yield
            block = self._rest()

    def _load(self) -> Block | None:
        """The next block, its lines in place of the old ones."""
        block = next(self._blocks, None)
        if block:
            self._lines, self._first, self._at = block.lines, block.first, 0
        return block

    def _rest(self) -> Block | None:
        """What is left of the present lines, or the next block."""
        if self._at == len(self._lines):
            return self._load()
        self._forget(self._at)
        text = [line for line in self._lines if isinstance(line, str)]
        return Block(self._first, self._lines, "".join(text) if len(text) == len(self._lines) else None)

    def _plain_rows(self, block: Block) -> list[list[str] | list[None]] | None:
        """One row per line, where no line of the block needs a closer look."""
        quote = self._dialect.quote_char
        if block.text is None or (self._long_rows and quote and quote in block.text):
            return None
        lines = cast("list[str]", block.lines)
        if max(map(len, lines)) > self._file.max_field_chars:
            return None
        if self._blank.search(block.text) or not self._holds_text(lines[0]):
            return None
        try:
            rows: list[list[str] | list[None]] = list(csv.reader(lines, **self._options))
        except csv.Error:
            return None
        return rows if len(rows) == len(lines) and set(map(len, rows)) == {self._width} else None

    def _holds_text(self, line: str) -> bool:
        """Whether there is more in a line than delimiters and white space."""
        return bool(line.strip(self._dialect.delimiter + _WHITE))

    def _careful_rows(self) -> tuple[list[int], list[list[str] | list[None]], dict[int, Problem]]:
        """Line numbers and rows of the present block, and the problems by position; row by row."""
        numbers: list[int] = []
        rows: list[list[str] | list[None]] = []
        found: dict[int, Problem] = {}
        unread = [None] * (self._width or 0)
        end = self._first + len(self._lines)
        self._long_rows = False
        while self._first + self._at < end:
            row = self._take()
            self._long_rows |= self._at - self._start > 1
            if not row:
                continue
            if isinstance(row, Problem):
                found[len(rows)] = row
            elif self._at - self._start > 1:
                lines: list[Any] = self._lines[self._start : self._at]
                self.enclosed.look_at(self._first + self._start, lines, len(row))
            rows.append(unread if isinstance(row, Problem) else row)
            numbers.append(self._first + self._start)
        return numbers, rows, found

    def _take(self) -> list[str] | Problem:
        """One row from the present line on; [] for a blank line."""
        self._start = self._at
        self._chars = 0
        try:
            row: list[str] = next(self._reader)
        except csv.Error as error:
            return self._broken(str(error))
        if not row or (not row[0].strip() and not self._holds_text(str(self._lines[self._start]))):
            return []
        return self._problem(row) or row

    def _has_line(self) -> bool:
        return self._at < len(self._lines) or self._more()

    def _feed(self) -> Iterator[str]:
        """The lines for the csv reader, which asks for the next one while a quoted field is open.

        It takes a bad line for an error, as it does when there is no next one.
        """
        while self._has_line():
            if self._at > self._start and (
                self._chars > max(LONGEST_ROW, self._file.max_field_chars) or self._first + self._at <= self._hopeless
            ):
                return
            line = cast("str", self._lines[self._at])
            self._at += 1
            self._chars += 1 if isinstance(line, BadLine) else len(line)
            yield line

    def _new_reader(self) -> Any:
        return csv.reader(self._feed(), **self._options)

    def _more(self) -> bool:
        """One more block behind the lines of the present row."""
        block = next(self._blocks, None)
        if block:
            self._forget(self._start if self._kept is None else self._kept)
            self._lines += block.lines
        return block is not None

    def _forget(self, count: int) -> None:
        """Lets go of that many lines at the front."""
        self._lines = self._lines[count:]
        self._first += count
        self._at -= count
        self._start = max(0, self._start - count)
        self._kept = None if self._kept is None else self._kept - count

    def _broken(self, error: str) -> Problem:
        """What is wrong with the present row where the csv module saw an error; takes all lines of that row."""
        border = self._border()
        self._at = self._start + border.lines
        self._hopeless = max(self._hopeless, self._first + self._start + border.hopeless - 1)
        self._reader = self._new_reader()
        for number, line in enumerate(self._lines[self._start : self._at], self._first + self._start):
            if isinstance(line, BadLine):
                where = "" if number == self._first + self._start else f"holds line {number}, which "
                return self._told(line.kind, where + line.reason, line.value)
        if border.broken is None and "new-line character" in error:
            advice = "take it out, or write the file with usual line ends"
            return self._told("carriage return", f"holds a carriage return in the middle of the line; {advice}")
        if border.broken is None and "field larger" in error:
            return self._too_long()
        opened = f"is opened in line {self._first + self._start + (border.broken or 0)} and not rightly closed"
        advice = "fix it, or pass another quote_char, or quote_char=None where quotes are plain characters"
        return self._told("broken quoting", f"has a field whose quote {self._dialect.quote_char} {opened}; {advice}")

    def _border(self) -> RowBorder:
        """How far the present row reaches."""
        if self._dialect.quote_char is None:
            return RowBorder(1)
        self._at, self._chars = self._start, 0
        lines = (line.text if isinstance(line, BadLine) else line for line in cast("Iterator[Any]", self._feed()))
        return row_border(lines, self._dialect.delimiter, self._dialect.quote_char)

    def _problem(self, row: list[str]) -> Problem | None:
        """What is wrong with a row that the csv module took for sound."""
        if self._chars > self._file.max_field_chars and max(map(len, row)) > self._file.max_field_chars:
            return self._too_long()
        if self._width is None or len(row) == self._width:
            return None
        names = f"where there should be {self._width}; fix the row, or check delimiter and quote_char"
        return self._told("wrong number of fields", f"has {_counted(len(row), 'field')} {names}")

    def _too_long(self) -> Problem:
        limit = f"{self._file.max_field_chars:,} characters"
        return self._told("field too long", f"has a field of more than {limit}; shorten it, or check the delimiter")

    def _told(self, kind: str, reason: str, value: str | None = None) -> Problem:
        number = self._first + self._start
        last = self._first + self._at - 1
        lines = f"(up to line {last}) " if last > number else ""
        if value is None:
            value = str(self._lines[self._start]).rstrip("\r\n")
        return self._file.problem(number, kind, lines + reason, value)


def _columns(rows: Sequence[list[str] | list[None]], places: Sequence[int | None]) -> list[Iterable[Cell]]:
    return [itertools.repeat(None, len(rows)) if place is None else map(itemgetter(place), rows) for place in places]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

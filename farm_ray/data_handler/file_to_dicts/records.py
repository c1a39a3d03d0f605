"""Rows of delimited text. A row that cannot be read is told, and reading goes on at the next physical line."""

from __future__ import annotations

import csv
import itertools
import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from farm_ray.data_handler.file_to_dicts.lines import BadLine, Block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from farm_ray.data_handler.file_to_dicts.dialect import Dialect
    from farm_ray.data_handler.file_to_dicts.table_file import Cell, Rows, TableFile

from farm_ray.data_handler.problems import Problem

_PROSE_DELIMITERS = (",", " ")
_LOOK_AHEAD = 100


class _Stop(Exception):  # noqa: N818 - a signal through the csv reader, never seen outside
    """A quoted field runs into a line that is no text, or too far."""


class Records:
    """Rows from physical lines; of a broken row all lines but the first are read again.

    Following a quote that is never closed must not cost the whole file for each such quote: a budget of characters
    falls with every broken row and rises with what is read, so the cost stays proportional to the file.
    """

    def __init__(self, file: TableFile, dialect: Dialect, blocks: Iterator[Block]) -> None:
        self._file = file
        self._dialect = dialect
        self._blocks = blocks
        self._options = dialect.reader_options()
        self._width: int | None = None  # fields of a sound row, once known
        self._lines: list[str | BadLine] = []
        self._first = 1  # number of the first of these lines
        self._at = 0  # the next line to take
        self._start = 0  # where the present row starts
        self._chars = 0  # of the present row
        self._budget = self._full_budget()
        self._reader = csv.reader(self._feed(), **self._options)

    def at_start(self) -> bool:
        """True where nothing has been read, because there is nothing."""
        return self._first + self._at == 1

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
            raise self._file.error("is empty; give a file with at least one row")
        for start in range(self._at, min(self._at + _LOOK_AHEAD, len(self._lines))):
            here = itertools.takewhile(lambda line: isinstance(line, str), itertools.islice(self._lines, start, None))
            try:
                row = next(csv.reader(cast("Iterator[str]", here), **self._options), None)
            except csv.Error:
                continue
            if row:
                return len(row)
        raise self._file.error(f"has no readable row in its first {_LOOK_AHEAD} lines; check delimiter and quote_char")

    def read_into(self, rows: Rows, width: int, places: Sequence[int | None]) -> Iterator[None]:
        """Adds all rows, with a problem for those that do not have `width` fields; pauses after every block."""
        self._width = width
        self._budget = self._full_budget()
        block = self._rest()
        while block:
            plain = self._plain_rows(block)
            if plain is None:
                numbers, taken, found = self._careful_rows()
                rows.add(numbers, _columns(taken, places), found)
            else:
                rows.add(range(block.first, block.first + len(plain)), _columns(plain, places))
                self._at = len(self._lines)
                self._budget = self._full_budget()
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

    def _plain_rows(self, block: Block) -> list[list[str]] | None:
        """One row per line, where no line of the block needs a closer look."""
        quote = self._dialect.quote_char
        if block.text is None or (quote and quote in block.text):
            return None
        lines = cast("list[str]", block.lines)
        if max(map(len, lines)) > self._file.max_field_chars:
            return None
        try:
            rows = list(csv.reader(lines, **self._options))
        except csv.Error:
            return None
        return rows if set(map(len, rows)) == {self._width} else None

    def _careful_rows(self) -> tuple[list[int], list[list[Any]], dict[int, Problem]]:
        """Line numbers and rows of the present block, and the problems by position; row by row."""
        numbers: list[int] = []
        rows: list[list[Any]] = []
        found: dict[int, Problem] = {}
        unread = [None] * (self._width or 0)
        end = self._first + len(self._lines)
        while self._first + self._at < end:
            row = self._take()
            if not row:
                continue
            if isinstance(row, Problem):
                found[len(rows)] = row
            rows.append(unread if isinstance(row, Problem) else row)
            numbers.append(self._first + self._start)
        return numbers, rows, found

    def _take(self) -> list[str] | Problem:
        """One row from the present line on; [] for a blank line."""
        self._start = self._at
        self._chars = 0
        try:
            row: list[str] = next(self._reader)
        except _Stop:
            return self._give_back(self._unclosed() if self._at > self._start else self._bad_line())
        except csv.Error as error:
            return self._give_back(self._broken(str(error)))
        many_lines = self._at - self._start > 1
        problem = self._problem(row, many_lines=many_lines) if row else None
        if problem and many_lines:
            return self._give_back(problem)
        self._budget = min(self._budget + self._chars, self._full_budget())
        return problem or row

    def _feed(self) -> Iterator[str]:
        """The lines for the csv reader, which asks for the next one while a quoted field is open."""
        while self._at < len(self._lines) or self._more():
            line = self._lines[self._at]
            if isinstance(line, BadLine) or (self._at > self._start and self._chars > self._budget):
                raise _Stop
            self._at += 1
            self._chars += len(line)
            yield line

    def _more(self) -> bool:
        """One more block behind the lines of the present row."""
        block = next(self._blocks, None)
        if block:
            self._forget(self._start)
            self._lines += block.lines
        return block is not None

    def _forget(self, count: int) -> None:
        """Lets go of that many lines at the front."""
        self._lines = self._lines[count:]
        self._first += count
        self._at -= count
        self._start = 0

    def _give_back(self, problem: Problem) -> Problem:
        """Goes on at the second line of the broken row."""
        first = self._lines[self._start]
        self._budget -= max(self._chars - len(first), 0) if isinstance(first, str) else 0
        self._at = self._start + 1
        self._reader = csv.reader(self._feed(), **self._options)
        return problem

    def _full_budget(self) -> int:
        return (1 + (self._width or 1)) * self._file.max_field_chars

    def _problem(self, row: list[str], *, many_lines: bool) -> Problem | None:
        """What is wrong with a row that the csv module took for sound."""
        if self._chars > self._file.max_field_chars and max(map(len, row)) > self._file.max_field_chars:
            return self._unclosed() if many_lines else self._too_long()
        if self._width is None or (len(row) == self._width and not many_lines):
            return None
        if len(row) != self._width:
            names = f"where there should be {self._width}; mend the line, or check delimiter and quote_char"
            return self._told("wrong number of fields", f"has {_counted(len(row), 'field')} {names}")
        return self._swallowed()

    def _swallowed(self) -> Problem | None:
        """Where a quote opens in one whole row and closes in another whole row, it is a plain character in both."""
        sign = self._dialect.delimiter
        ends = [str(self._lines[self._start]), str(self._lines[self._at - 1])]
        if sign in _PROSE_DELIMITERS or self._width == 1 or any(end.count(sign) + 1 != self._width for end in ends):
            return None
        last = self._first + self._at - 1
        reason = f"opens a quote that only line {last} closes, and both lines are whole rows without it"
        return self._told("broken quoting", f"{reason}; {self._quote_advice()}")

    def _unclosed(self) -> Problem:
        line = self._first + self._start + self._lines_before_open_quote()
        reason = f"has a field whose quote {self._dialect.quote_char} is opened in line {line} and not rightly closed"
        return self._told("broken quoting", f"{reason}; {self._quote_advice()}")

    def _too_long(self) -> Problem:
        limit = f"{self._file.max_field_chars:,} characters"
        return self._told("field too long", f"has a field of more than {limit}; shorten it, or check the delimiter")

    def _broken(self, reason: str) -> Problem:
        """For an error of the csv module."""
        if "new-line character" in reason:
            advice = "take it out, or write the file with usual line ends"
            return self._told("carriage return", f"holds a carriage return in the middle of the line; {advice}")
        if "field larger" in reason and self._at - self._start == 1:
            return self._too_long()
        return self._unclosed()

    def _bad_line(self) -> Problem:
        line = self._lines[self._start]
        assert isinstance(line, BadLine)
        return self._file.problem(self._first + self._start, line.kind, line.reason, line.value)

    def _told(self, kind: str, reason: str) -> Problem:
        value = str(self._lines[self._start]).rstrip("\r\n")
        return self._file.problem(self._first + self._start, kind, reason, value)

    def _quote_advice(self) -> str:
        return "mend it, or pass another quote_char, or quote_char=None where quotes are plain characters"

    def _lines_before_open_quote(self) -> int:
        """How many line ends of the broken row come before the field whose quote is not rightly closed."""
        quote, sign = re.escape(self._dialect.quote_char or ""), re.escape(self._dialect.delimiter)
        whole = rf"(?:{quote}[^{quote}]*(?:{quote}{quote}[^{quote}]*)*{quote}|(?!{quote})[^{sign}\r\n]*)"
        text = "".join(str(line) for line in self._lines[self._start : max(self._at, self._start + 1)])
        sound = re.match(rf"(?:{whole}{sign})*", text)
        return text.count("\n", 0, sound.end() if sound else 0)


def _columns(rows: Sequence[list[Any]], places: Sequence[int | None]) -> list[Iterable[Cell]]:
    return [itertools.repeat(None, len(rows)) if place is None else map(itemgetter(place), rows) for place in places]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

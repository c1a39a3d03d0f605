"""A look at the splits of a file before they are read, each by itself: how many lines they have, which rows cross them.

Quotes may hold line breaks, so where a row of delimited text begins depends on all that comes before. A look at each
split finds the few lines that may begin a row of several lines, and how far each such row would reach. Put together,
these say which of them are rows, and no border of a split stays inside of one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from farm_ray.data_handler.file_to_dicts.row_borders import row_border
from farm_ray.data_handler.file_to_dicts.splits import LINE, Border, Split, count_lines, open_split, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds

_PIECE = 1 << 20


class LongRow(NamedTuple):
    """A row of several lines, if it is one: it may lie inside of another."""

    start: int
    """Its first byte."""
    end: int
    """Behind its last byte."""
    line: int
    """Lines of the split before it."""
    lines: int
    """Its own."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at a split found."""

    split: Split
    """With settled borders."""
    lines: int
    """Line ends in it."""
    long_rows: tuple[LongRow, ...] = ()
    """In their order."""


def line_survey(split: Split, border: Border = LINE, line_ends: LineEnds | None = None) -> Survey:
    """The lines of a split, where every row has whole lines of its own; arguments as for `settled`, `count_lines`."""
    own = settled(split, border)
    return Survey(own, count_lines(own, line_ends))


def quote_survey(
    split: Split, *, delimiter: str, quote: str, encoding: str, skipped_lines: int = 0, longest_row: int
) -> Survey:
    r"""The lines of a split of delimited text, and its rows of several lines.

    Args:
        split: Of a file whose lines end with `\n`, in an encoding where delimiter and quote are single bytes that are
            part of no other character.
        delimiter: The sign between fields.
        quote: The sign around fields.
        encoding: Of the file.
        skipped_lines: Lines at the file's start that are no rows.
        longest_row: Characters after which a quote that was not closed counts as a plain character.
    """
    own = settled(split, LINE)
    long_rows: list[LongRow] = []
    lines, place = 0, own.start
    opened_lines = _OpenedLines(delimiter.encode(encoding), quote.encode(encoding))
    with open_split(own) as opened, open_split(replace(own, end=None)) as ahead:
        reach = _Reach(ahead, delimiter, quote, encoding, longest_row)
        for piece in _whole_lines(opened):
            for start in opened_lines.starts(piece):
                line = lines + piece.count(b"\n", 0, start)
                if own.start == 0 and line < skipped_lines:
                    continue
                end, count = reach.of_row(piece, place, start)
                if count > 1:
                    long_rows.append(LongRow(place + start, end, line, count))
            lines += piece.count(b"\n")
            place += len(piece)
    return Survey(own, lines, tuple(long_rows))


def numbered(surveys: Sequence[Survey]) -> list[Split]:
    """The splits of one file with the numbers of their first lines, each beginning with a row.

    Args:
        surveys: Of all its splits, in order.
    """
    starts: list[tuple[int, int]] = []
    first, behind = 1, (0, 1)
    for survey in surveys:
        # A row that began before and reaches in here belongs to the split where it began.
        starts.append(max((survey.split.start, first), behind))
        for row in survey.long_rows:
            if row.start >= behind[0]:
                behind = (row.end, first + row.line + row.lines)
        first += survey.lines
    last = surveys[-1].split.end
    ends = [*(start for start, _ in starts[1:]), last]
    return [
        replace(survey.split, start=start, end=end, first_line=line)
        for survey, (start, line), end in zip(surveys, starts, ends, strict=True)
    ]


class _OpenedLines:
    """Finds lines in which a quote at the start of a field is not closed, and some others."""

    def __init__(self, delimiter: bytes, quote: bytes) -> None:
        sign, mark = re.escape(delimiter), re.escape(quote)
        # As `row_border` reads a line: a quote that closes nothing must have another one behind it.
        inside = rb"(?:[^%s\n]|%s(?!%s|\r*(?:\n|\Z))[^%s\n]*+%s)*+(?=\n|\Z)" % (mark, mark, sign, mark, mark)
        self._at_begin = re.compile(rb"\n%s%s" % (mark, inside))
        self._behind_sign = re.compile(rb"%s%s%s" % (sign, mark, inside))

    def starts(self, piece: bytes) -> list[int]:
        """Where such lines begin in whole lines, ascending."""
        at_begin = {found.start() for found in self._at_begin.finditer(b"\n" + piece)}
        behind = {piece.rfind(b"\n", 0, found.start()) + 1 for found in self._behind_sign.finditer(piece)}
        return sorted(at_begin | behind)


class _Reach:
    """How far rows reach, which may be beyond the split."""

    def __init__(self, file: BinaryIO, delimiter: str, quote: str, encoding: str, longest_row: int) -> None:
        self._file = file
        self._delimiter, self._quote, self._encoding = delimiter, quote, encoding
        self._longest_row = longest_row
        self._hopeless = 0  # no quote that is open at the start of a line before this byte is rightly closed
        self._ends: list[int] = []  # of the lines that were read for the present row

    def of_row(self, piece: bytes, place: int, start: int) -> tuple[int, int]:
        """Behind the last byte of a row, and its lines.

        Args:
            piece: Lines of the file.
            place: Where they begin in the file.
            start: Where the row begins in them.
        """
        border = row_border(self._lines(piece, place, start), self._delimiter, self._quote)
        if border.hopeless:
            self._hopeless = max(self._hopeless, self._ends[border.hopeless - 1])
        return self._ends[border.lines - 1], border.lines

    def _lines(self, piece: bytes, place: int, start: int) -> Iterator[str]:
        """As `Records` reads them: up to where there is no hope."""
        self._ends, chars, at = [], 0, place + start
        for raw in self._raw_lines(piece, place, start):
            if self._ends and (chars > self._longest_row or at < self._hopeless):
                return
            at += len(raw)
            self._ends.append(at)
            line = raw.decode(self._encoding, "replace")
            chars += len(line)
            yield line

    def _raw_lines(self, piece: bytes, place: int, start: int) -> Iterator[bytes]:
        while start < len(piece):
            end = piece.find(b"\n", start) + 1 or len(piece)
            yield piece[start:end]
            start = end
        self._file.seek(place + len(piece))
        yield from iter(self._file.readline, b"")


def _whole_lines(opened: BinaryIO) -> Iterator[bytes]:
    held: list[bytes] = []
    while piece := opened.read(_PIECE):
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join([*held, piece[:end]])
            held = []
        held.append(piece[end:])
    if rest := b"".join(held):
        yield rest

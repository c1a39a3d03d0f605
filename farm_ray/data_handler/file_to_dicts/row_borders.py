"""Which physical lines of delimited text its quotes hold together as one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_GOES_ON, _NEVER = -1, -2


class RowBorder(NamedTuple):
    """How far a row reaches."""

    lines: int
    """Physical lines of the row."""
    broken: int | None = None
    """The first of these lines, from 0, that opens a quote that is not rightly closed."""
    hopeless: int = 0
    """Lines that were looked at and in none of which a quote that is open at its begin is rightly closed; from
    `lines` on, as those before belong to the row."""


def row_border(lines: Iterable[str], delimiter: str, quote: str) -> RowBorder:
    r"""How many of these lines are the row that begins with the first one.

    A quote at the start of a field is rightly closed by a quote behind which the field ends: a delimiter, a line end
    or the end of the file. What lies between is the field, whatever it holds; quotes in it stand in pairs within a
    line, doubled (`""`) as it should be or around some text (`"no"`), which makes the row broken but not its border.
    A quote that is not rightly closed encloses nothing: its row ends with the line where it stands.

    Args:
        lines: Physical lines, with their ends, as far as a quote may reach.
        delimiter: The sign between fields.
        quote: The sign around fields.
    """
    opened: int | None = None
    broken: int | None = None
    looked = 0
    for looked, line in enumerate(lines, 1):
        place = 0
        while True:
            if opened is None and line.startswith(quote, place):
                opened, place = looked - 1, place + 1
            if opened is not None:
                place, is_broken = _closing(line, place, delimiter, quote)
                broken = opened if is_broken and broken is None else broken
                if place == _NEVER:
                    return RowBorder(opened + 1, broken, looked)
                if place == _GOES_ON:
                    break
                opened = None
            place = line.find(delimiter, place) + 1
            if not place:
                return RowBorder(looked, broken)
    if opened is None:
        return RowBorder(looked, broken)
    return RowBorder(opened + 1, opened if broken is None else broken, looked)


def _closing(line: str, place: int, delimiter: str, quote: str) -> tuple[int, bool]:
    """Behind the quote that rightly closes the field that is open from this place on, and whether the field is broken.

    `_GOES_ON` where the field goes on in the next line, `_NEVER` where the line shows that it is not rightly closed.
    """
    broken = False
    while place := line.find(quote, place) + 1:
        behind = line[place : place + 1]
        if behind == delimiter or not (behind.strip("\r\n") or line[place:].strip("\r\n")):
            return place, broken
        broken = broken or behind != quote
        place = line.find(quote, place) + 1
        if not place:
            return _NEVER, True
    return _GOES_ON, broken

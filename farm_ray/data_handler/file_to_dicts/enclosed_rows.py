"""Lines that a quote joins to one row by mistake: an apostrophe opened it, and one further down closed it.

Such a row is read as pandas reads it, and reported once per file.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.file_to_dicts.dialect import Dialect

logger = logging.getLogger(__name__)

_APOSTROPHE = "'"
_SHOWN = 3

_reported: set[tuple[str, int]] = set()
"""File, and the first line of its first such row: of all readings of a file in this process one reports."""


class _Place(NamedTuple):
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class EnclosedRows:
    """Gathers the rows of a file that are likely several."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._count = 0
        self._places: list[_Place] = []

    def look_at(self, first: int, lines: Sequence[str], width: int) -> None:
        """Takes in a row of several lines that is read without a problem.

        Args:
            first: Number of its first line.
            lines: All of it.
            width: Fields of a row.
        """
        if self._are_likely_rows(lines, width):
            self._count += 1
            if len(self._places) < _SHOWN:
                self._places.append(_Place(first, first + len(lines) - 1))

    def report(self, file: str) -> None:
        """Logs a warning for the file of this name, if there are such rows and no reading of it logged one."""
        if not self._places or (file, self._places[0].first) in _reported:
            return
        _reported.add((file, self._places[0].first))
        one, *others = self._places
        more = [f"lines {place}" for place in others]
        more += [f"{self._count - len(self._places)} more"] if self._count > len(self._places) else []
        logger.warning(
            "%s: lines %s are one row, as a quote %s encloses them, but lines %d and %d are whole rows by themselves"
            "%s; if %s is a plain character, give quote_char=None",
            file,
            one,
            self._dialect.quote_char,
            *one,
            f" (likewise {', '.join(more)})" if more else "",
            self._dialect.quote_char,
        )

    def _are_likely_rows(self, lines: Sequence[str], width: int) -> bool:
        """Whether the lines have all fields: where the quote is an apostrophe the first and the last one, else all.

        Apostrophes in texts are more usual than texts in apostrophes. With other quotes only tabs are looked at, as
        other delimiters stand in texts too; and a line of the only column always has all fields.
        """
        sign = self._dialect.delimiter
        if not lines[0].count(sign) == lines[-1].count(sign) == width - 1:
            return False
        if self._dialect.quote_char == _APOSTROPHE:
            return True
        return sign == "\t" and width > 1 and all(line.count(sign) == width - 1 for line in lines)

"""Old Mac line ends: bare carriage returns become line feeds, byte for byte, so that readers know one line end."""

from __future__ import annotations

import re

_RUN = re.compile(rb"\r+\n?")
_LONGEST_FIRST_ROW = 1 << 20
_LONGEST_RUN = 64
"""Carriage returns that are held to see whether a line feed follows."""


class LineEnds:
    r"""Makes `\n` of every `\r` that no `\n` follows, in pieces of a file as they come; other bytes stay.

    As Python and FARM read text. Carriage returns right before a line feed are part of that line end (`\r\n`, and
    `\r\r\n` of files that were converted twice). No other sign ends a line: form feeds and the separators of Unicode
    are part of it.

    Args:
        first_row: Matches the first row of a table with its line end as group 1, see `first_row_of_tables`. Then bare
            `\r` are line ends only where this one is: in a table one elsewhere is more likely part of a field, and
            told. None: they are everywhere.
    """

    def __init__(self, first_row: re.Pattern[bytes] | None = None) -> None:
        self._first_row = first_row
        self._wanted = None if first_row else True
        self._held = b""

    @classmethod
    def as_they_are(cls) -> LineEnds:
        """For files whose lines are known to end with line feeds: bare carriage returns stay."""
        kept = cls()
        kept._wanted = False
        return kept

    def __call__(self, data: bytes, *, last: bool = False) -> bytes:
        """This piece, but for what is held until the next one; before all that was held from the piece before."""
        if not self._held and (self._wanted is False or (self._wanted and b"\r" not in data)):
            return data
        if self._held:
            data, self._held = self._held + data, b""
        sure = len(data.rstrip(b"\r")) if data.endswith(b"\r") and not last else len(data)
        if self._wanted is None:
            first = self._first_row.match(data, 0, sure) if self._first_row else None
            if first is None and not last and len(data) < _LONGEST_FIRST_ROW:
                self._held = data
                return b""
            self._wanted = first is not None and not first[1].endswith(b"\n")
        if not self._wanted:
            return data
        if 0 < len(data) - sure <= _LONGEST_RUN:
            data, self._held = data[:sure], data[sure:]
        if data.count(b"\r") == data.count(b"\r\n"):
            return data
        return _RUN.sub(lambda found: found[0] if found[0].endswith(b"\n") else b"\n" * len(found[0]), data)


def first_row_of_tables(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    """Matches the first row of delimited text up to and with its line end, group 1; nothing of a broken one.

    Args:
        delimiter: Stands between fields.
        quote: Stands around fields; none where it is empty.
    """
    sign, mark = re.escape(delimiter), re.escape(quote)
    plain = rb"(?:(?!%s|[\r\n]).)*+" % sign
    quoted = rb"%s(?:(?!%s).|%s%s)*+%s" % (mark, mark, mark, mark, mark)
    field = rb"(?:%s|(?!%s)%s)" % (quoted, mark, plain) if quote else plain
    return re.compile(rb"(?:\xef\xbb\xbf)?%s(?:%s%s)*+(\r+\n?|\n)" % (field, sign, field), re.DOTALL)

"""Splits of files: the unit of reading, planning and resuming. However a file is cut, it gives the same rows.

A split names bytes; where its rows really begin and end is settled by who reads it (`settled`): a row belongs to the
split that holds its first byte. So splits are planned by arithmetic on file sizes, and nothing is read for that.
"""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds
from farm_ray.storage import open_binary, size
from farm_ray.storage.addresses import codec

if TYPE_CHECKING:
    from pathlib import Path

SPLIT_BYTES = 16 << 20
"""Bytes of a split where windows of rows do not matter: reading that much takes some seconds."""
TABLE_BYTES = 4 << 20
"""Of text, about, in each table of a file that is read as a whole."""

_PIECE = 64 << 10
_BUFFER = 8 << 20  # one request of an object store each


@dataclass(frozen=True, slots=True)
class Split:
    """What is read at a time: the rows of a file whose first byte lies in [start, end)."""

    file: str
    start: int = 0
    end: int | None = None
    """Behind the last byte; None: the whole file in one go (compressed files, web addresses, small files)."""
    stamp: str | None = None
    """The file's `storage.change_stamp` when the run began; None where that does not matter."""
    name: str | None = None
    """What ids begin with, where the file's own name is another file's, too."""
    first_line: int | None = None
    """Number of the line that begins at `start`, from 1; None: not counted, rows are named by split and line in it."""
    table_bytes: int = TABLE_BYTES
    """Of text, about, in each table where `end` is None and tables matter."""
    donor: str | None = None
    """Another file of the set, to draw texts from where this one has a single document."""

    @property
    def is_whole(self) -> bool:
        """Whether the file is read in one go."""
        return self.end is None


@dataclass(frozen=True, slots=True)
class Border:
    """What a row begins behind."""

    pattern: re.Pattern[bytes]
    longest: int
    """Bytes of a match at most, of what it looks at too."""


LINE = Border(re.compile(rb"\n"), 1)
"""Rows begin behind a line feed."""
BLANK_LINE = Border(re.compile(rb"\n\r?\n|\r\r(?=[^\r\n])"), 3)
"""Rows begin behind a blank line."""


def cut(uri: str | Path, target_bytes: int) -> list[Split]:
    """A file in splits of equal length, of `target_bytes` to twice that.

    One split for the whole file where it is smaller, or cannot be read from the middle: compressed files and web
    addresses. Looks at the file's size only.
    """
    file, total = str(uri), size(uri)
    parts = 1 if total is None or codec(uri) else total // target_bytes
    if total is None or parts <= 1:
        return [Split(file)]
    # Of equal length, so that the last one is not a small rest.
    borders = [total * part // parts for part in range(parts + 1)]
    return [Split(file, start, end) for start, end in itertools.pairwise(borders)]


def settled(split: Split, border: Border) -> Split:
    """The split between the first borders from its start and its end on: its bytes are those of its rows.

    Equal for all who ask, so neighbours meet. A whole file is returned as it is.
    """
    if split.end is None:
        return split
    with open_binary(split.file) as opened:
        start = _behind(opened, border, split.start)
        return replace(split, start=start, end=max(start, _behind(opened, border, split.end)))


def open_split(split: Split) -> BinaryIO:
    """The bytes of a split of a file that is not compressed, as they are."""
    file = open_binary(split.file)
    file.seek(split.start)
    if split.end is None:
        return file
    return cast("BinaryIO", io.BufferedReader(_Limited(file, split.end - split.start), _BUFFER))


def count_lines(split: Split, line_ends: LineEnds | None = None) -> int:
    """The line ends in the bytes of a split.

    Args:
        split: With settled borders.
        line_ends: Knows where bare carriage returns are line ends; None for everywhere.
    """
    line_ends = line_ends or LineEnds()
    with open_split(split) as file:
        found = sum(line_ends(piece).count(b"\n") for piece in iter(lambda: file.read(_BUFFER), b""))
    return found + line_ends(b"", last=True).count(b"\n")


class _Limited(io.RawIOBase):
    """The next bytes of a file, as many as allowed; no more are asked for."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        super().__init__()
        self._file = file
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer)[: self._left]
        read = _raw(self._file).readinto(room) if len(room) else 0
        self._left -= read
        return read

    def close(self) -> None:
        self._file.close()
        super().close()


def _raw(file: BinaryIO) -> Any:
    return cast("io.BufferedReader", file).raw


def _behind(file: Any, border: Border, start: int) -> int:
    """The first byte from `start` on that follows a border; the end of the file where there is none."""
    if start == 0:
        return 0
    place = max(0, start - border.longest)
    file.seek(place)
    held = b""
    while piece := file.read(_PIECE):
        held += piece
        at = 0
        while found := border.pattern.search(held, at):
            if place + found.end() >= start:
                return place + found.end()
            at = found.start() + 1
        kept = held[-border.longest :]
        place += len(held) - len(kept)
        held = kept
    return place + len(held)

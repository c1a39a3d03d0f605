"""Parts of one big file: byte ranges that begin behind a blank line and can be read by themselves."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds
from farm_ray.storage import open_binary, size
from farm_ray.storage.addresses import codec

if TYPE_CHECKING:
    from pathlib import Path

RANGE_BYTES = 16 << 20
"""Files up to this size are not cut: reading that much takes some seconds."""

_PIECE = 64 << 10
_BUFFER = 8 << 20  # one request of an object store each
_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r(?=[^\r\n])")
_BLANK_BYTES = 3


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Whole lines of a file."""

    start: int
    end: int
    """Behind the last byte."""
    first_line: int
    """Number of the first line in the file, from 1."""


TABLE_BYTES = 4 << 20
"""Of text, about, in each table of a file that is read as a whole."""


@dataclass(frozen=True, slots=True)
class FileRange:
    """What is read at a time: the rows of a file that begin in these bytes."""

    file: str
    start: int
    end: int | None
    """Behind the last byte; None: the whole file, in one go (compressed files, web addresses, Parquet)."""
    table_bytes: int = TABLE_BYTES
    """Of text, about, in each table where `end` is None."""
    stamp: str | None = None
    """The file's `storage.change_stamp` when the run began; None where that does not matter."""
    name: str | None = None
    """What ids begin with, where the file's own name is another file's, too."""
    lender: str | None = None
    """Another file of the set, to draw texts from where this one has a single document."""


def cut_at_blank_lines(uri: str | Path, *, range_bytes: int = RANGE_BYTES) -> list[tuple[int, int]]:
    """(start, end) of ranges of about this many bytes, which cover the file; [] where it is not to be cut.

    Small files are not cut, nor those that cannot be read from the middle: compressed ones and web addresses.
    """
    total = size(uri)
    if total is None or total <= range_bytes or codec(uri):
        return []
    with open_binary(uri) as file:
        borders = {0, total} | {
            _behind_blank_line(file, start, total) for start in range(range_bytes, total, range_bytes)
        }
    ordered = sorted(borders)
    return list(itertools.pairwise(ordered))


def count_lines(uri: str | Path, start: int, end: int) -> int:
    """The line ends between two bytes of a file."""
    line_ends = LineEnds()
    with open_range(uri, start, end) as file:
        found = sum(line_ends(piece).count(b"\n") for piece in iter(lambda: file.read(_BUFFER), b""))
    return found + line_ends(b"", last=True).count(b"\n")


def numbered(cuts: list[tuple[int, int]], lines: list[int]) -> list[ByteRange]:
    """Ranges with the number of their first line, from the lines of each."""
    first = 1
    found = []
    for (start, end), count in zip(cuts, lines, strict=True):
        found.append(ByteRange(start, end, first))
        first += count
    return found


def open_range(uri: str | Path, start: int, end: int) -> BinaryIO:
    """The bytes from `start` up to `end` of a file that is not compressed."""
    file = open_binary(uri)
    file.seek(start)
    return cast("BinaryIO", io.BufferedReader(_Limited(file, end - start), _BUFFER))


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


def _behind_blank_line(file: Any, start: int, total: int) -> int:
    """The first byte from `start` on that follows a blank line; `total` where there is none."""
    place = max(0, start - _BLANK_BYTES)
    file.seek(place)
    held = b""
    while piece := file.read(_PIECE):
        held += piece
        at = 0
        while found := _BLANK_LINE.search(held, at):
            if place + found.end() >= start:
                return place + found.end()
            at = found.start() + 1
        kept = held[-_BLANK_BYTES:]
        place += len(held) - len(kept)
        held = kept
    return total

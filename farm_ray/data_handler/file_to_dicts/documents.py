"""Documents of text files: one sentence a line, blank lines between documents. Any part of a file reads by itself."""

from __future__ import annotations

import codecs
import functools
import itertools
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import null_where_not
from farm_ray.data_handler.file_to_dicts.empty_files import no_rows
from farm_ray.data_handler.file_to_dicts.encodings import plain_name, text_encoding
from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds
from farm_ray.data_handler.file_to_dicts.lines import LONGEST_LINE, BadLine, may_mix_encodings, one_line, too_long
from farm_ray.data_handler.file_to_dicts.splits import TABLE_BYTES
from farm_ray.data_handler.file_to_dicts.table_file import STAGE
from farm_ray.data_handler.problems import Problem
from farm_ray.errors import DataProblemError
from farm_ray.storage import open_binary, redacted
from farm_ray.storage.addresses import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger(__name__)

Numbers = npt.NDArray[np.int64]

LONGEST_DOCUMENT = 8 << 20
"""Bytes of a document that are never cut; of longer ones see `read_documents`."""

SCHEMA = pa.schema([("id", pa.string()), ("doc", pa.list_(pa.string())), (problems.COLUMN, problems.PROBLEM)])
"""Documents: id; doc, its sentences, null beside a problem; problem."""

_PIECES = b"pieces_of_documents"
_BLOCK = 2 << 20
_PACKED_BLOCK = 64 << 10
"""Of compressed files, of which the last block is lost where they break off."""
_AHEAD = 256 << 10
_LOOK_BACK = 1 << 10
_LINE_END = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentFile:
    """One text file and how to read it."""

    uri: str
    name: str
    """What ids begin with: `train.txt` of `train.txt@4096`."""
    encoding: str = "utf-8"
    longest: int = LONGEST_DOCUMENT
    """See `read_documents`; the same for all who read parts of one file."""
    proxies: Mapping[str, str] | None = None


def read_documents(
    file: DocumentFile, start: int = 0, end: int | None = None, *, table_bytes: int = TABLE_BYTES
) -> Iterator[pa.Table]:
    r"""The documents whose first byte lies in [start, end) as one table, or all documents as tables of `table_bytes`.

    A line is a sentence; whitespace around it does not count. Blank lines (nothing but whitespace) end a document.
    Line ends may be `\n`, `\r\n` or `\r`; a byte order mark is taken off. An id is `{name}@{byte at which the document
    begins}`, counted in the decompressed text. Any cut of a file into ranges gives the same documents.

    Only what is near a range is read: documents that begin before `end` are read to their end. So that this is never
    the whole file, documents longer than `file.longest` bytes may be cut into several: one begins with the first line
    that begins at or behind a multiple of `longest` bytes from the file's start, where no blank line begins from there
    up to the next multiple. This is logged, and `pieces_of_documents` counts them in a table.

    A document with a line that is no text (bytes that are not in the encoding, NUL, above `LONGEST_LINE` bytes) keeps
    its place, with a null `doc` and the first such line as its problem.

    Args:
        file: Which file.
        start: From which byte on.
        end: Up to which byte; None reads the whole file, which may be compressed, in one go.
        table_bytes: Of text per table where `end` is None, about.

    Raises:
        DataProblemError: For a file that cannot be read or holds no document. A file that breaks off gives the
            documents before; the message names the byte. An error that may pass comes at once.
    """
    file = _as_written(file)
    if end is None:
        yield from _whole_file(file, table_bytes)
        return
    with open_binary(file.uri) as opened:
        at = _begin_of_line(opened, start, file.longest)
        lines = _Lines(opened, at, file.encoding, file.longest, _BLOCK)
        table = _documents(file, lines, start, end)
        if lines.error is not None:
            raise lines.error
        if start == 0 and lines.finished and lines.end <= end and not table.num_rows:
            raise _empty(file)
    yield table


@dataclass(frozen=True, slots=True)
class Counts:
    """What a text file holds."""

    lines: int
    blank: int
    """Blank ones of them."""
    documents: int


def count_documents(file: DocumentFile) -> Counts:
    """Lines and documents of a text file; reads all of it, and holds little.

    Raises:
        DataProblemError: For a file that cannot be read.
    """
    total = blank = documents = 0
    after_blank = True
    file = _as_written(file)
    with open_binary(file.uri, proxies=file.proxies) as opened:
        lines = _Lines(opened, 0, file.encoding, file.longest, _PACKED_BLOCK if codec(file.uri) else _BLOCK)
        while not lines.finished:
            lines.read(_BLOCK)
            flags = lines.blank
            total, blank = total + len(flags), blank + int(np.count_nonzero(flags))
            documents += int(np.count_nonzero(~flags & np.concatenate([[after_blank], flags[:-1]])[: len(flags)]))
            after_blank = bool(flags[-1]) if len(flags) else after_blank
            lines.forget_all()
        if lines.error is not None:
            raise lines.error
    return Counts(total, blank, documents)


def _as_written(file: DocumentFile) -> DocumentFile:
    return replace(file, encoding=text_encoding(file.uri, file.encoding, file.proxies))


def pieces_of_documents(table: pa.Table) -> int:
    """How many rows of a table from `read_documents` are later pieces of documents that were too long."""
    return int((table.schema.metadata or {}).get(_PIECES, 0))


def _whole_file(file: DocumentFile, table_bytes: int) -> Iterator[pa.Table]:
    found = 0
    with open_binary(file.uri, proxies=file.proxies) as opened:
        lines = _Lines(opened, 0, file.encoding, file.longest, _PACKED_BLOCK if codec(file.uri) else _BLOCK)
        start = 0
        while not (lines.finished and lines.end <= start):
            table = _documents(file, lines, start, start + table_bytes)
            start += table_bytes
            lines.forget(start)
            if table.num_rows:
                found += table.num_rows
                yield table
        if lines.error is not None:
            raise lines.error
    if not found:
        raise _empty(file)


def _empty(file: DocumentFile) -> DataProblemError:
    name = redacted(file.uri)
    return no_rows(f"{name} holds no document; give a file with a sentence on each line", name)


def _documents(file: DocumentFile, lines: _Lines, start: int, end: int) -> pa.Table:
    """The documents that begin in [start, end); `lines` begins before `start`, or with the file."""
    ahead = _AHEAD
    while lines.end < end and not lines.finished:
        lines.read(max(end - lines.end, _AHEAD))
    while not lines.finished and not _is_settled(lines, start, end):
        lines.read(ahead)
        ahead *= 2
    return _table(file, lines, start, end)


def _is_settled(lines: _Lines, start: int, end: int) -> bool:
    """Whether all that begins in [start, end) has been read to its end."""
    inside = int(np.searchsorted(lines.starts, end))
    if inside == 0 or lines.blank[inside - 1] or lines.starts[inside - 1] < start:
        return True
    begins, forced, candidates = _begins(lines)
    places = lines.starts
    ours = (places >= start) & (places < end)
    if not (ours & (begins | candidates)).any():
        return True
    return bool(((places >= end) & (lines.blank | forced)).any())


def _begins(lines: _Lines) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Per line whether it begins a document behind a blank line (or the file), begins a piece, might begin one."""
    starts, blank, longest = lines.starts, lines.blank, lines.longest
    begins = ~blank & np.concatenate([[True], blank[:-1]])
    forced, candidates = np.zeros(len(starts), np.bool_), np.zeros(len(starts), np.bool_)
    borders = np.arange(starts[0] // longest + 1, lines.end // longest + 1) * longest
    first = np.searchsorted(starts, borders)
    borders, first = borders[first < len(starts)], first[first < len(starts)]
    near = (starts[first] < borders + longest) & ~blank[first] & ~begins[first]
    borders, first = borders[near], first[near]
    candidates[first] = True
    blanks = np.append(starts[blank], np.iinfo(np.int64).max)
    next_blank = blanks[np.searchsorted(blanks, starts[first])]
    forced[first] = (next_blank >= borders + longest) & (lines.end >= borders + longest)
    return begins, forced, candidates


def _table(file: DocumentFile, lines: _Lines, start: int, end: int) -> pa.Table:
    if not len(lines.starts):
        return SCHEMA.empty_table()
    begins, forced, _ = _begins(lines)
    firsts = np.flatnonzero(begins | forced)
    document = np.cumsum(begins | forced) - 1
    owned = (lines.starts[firsts] >= start) & (lines.starts[firsts] < end)
    if lines.error is not None and not lines.blank[-1]:
        # The document at which the file breaks off is not whole.
        owned[-1:] = False
    first_bad = _first_bad_lines(lines, document)
    of_sound = owned.copy()
    of_sound[list(first_bad)] = False
    # A line inside the document that began before these lines belongs to none of ours.
    kept = ~lines.blank & (document >= 0) & np.append(of_sound, False)[document]
    counts = np.bincount(document[kept], minlength=len(firsts))[owned]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    sentences = lines.texts().filter(pa.array(kept))
    docs = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), sentences)
    places = lines.starts[firsts[owned]]
    ids = pc.binary_join_element_wise(f"{file.name}@", pa.array(places, pa.int64()).cast(pa.string()), "")
    found: list[Problem | None] = [None] * len(places)
    if first_bad:
        numbers = np.flatnonzero(owned).tolist()
        ours = [(row, first_bad[number]) for row, number in enumerate(numbers) if number in first_bad]
        for row, byte in ours:
            found[row] = _problem(file, ids[row].as_py(), byte, lines.bad[byte])
        docs = null_where_not(docs, pa.array(of_sound[owned]))
    column = problems.column(found) if any(found) else problems.none(len(places))
    pieces = int(np.count_nonzero(forced[firsts[owned]]))
    if pieces:
        _warn_once(redacted(file.uri), file.longest)
    schema = SCHEMA.with_metadata({_PIECES: str(pieces)}) if pieces else SCHEMA
    return pa.table([ids, docs, column], schema=schema)


def _first_bad_lines(lines: _Lines, document: Numbers) -> dict[int, int]:
    """Number of a document -> byte at which its first line begins that is no text."""
    found: dict[int, int] = {}
    for byte in sorted(lines.bad):
        number = int(document[np.searchsorted(lines.starts, byte)])
        if number >= 0:
            found.setdefault(number, byte)
    return found


def _problem(file: DocumentFile, row_id: str, byte: int, line: BadLine) -> Problem:
    message = f"{row_id}: the line that begins at byte {byte} {line.reason}"
    value = problems.shorten(line.value)
    return Problem(stage=STAGE, kind=line.kind, message=message, value=value, file=file.name)


@functools.lru_cache(maxsize=1000)
def _warn_once(name: str, longest: int) -> None:
    logger.warning(
        "%s holds documents of more than %d bytes, which are cut into several; separate documents by blank lines",
        name,
        longest,
    )


def _begin_of_line(opened: BinaryIO, start: int, longest: int) -> int:
    """Where the line begins that holds the byte before `start`; looks back `longest` bytes at most."""
    earliest = max(0, start - 1 - longest)
    at, step = start - 1, _LOOK_BACK
    while at > earliest:
        until, at = at, max(earliest, at - step)
        opened.seek(at)
        found = LineEnds()(opened.read(until - at + _LOOK_BACK), last=True).rfind(b"\n", 0, until - at)
        if found >= 0:
            at += found + 1
            break
        step *= 8
    at = max(at, 0)
    opened.seek(at)
    return at


@dataclass(slots=True)
class _Lines:
    """Lines of a file in order, from a byte on: those that have been read and not forgotten."""

    file: BinaryIO
    end: int
    """Behind the last line."""
    encoding: str
    longest: int
    block: int
    """Bytes to read at once at most."""
    starts: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    """Byte at which each line begins, [lines]."""
    blank: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """[lines]; whitespace above `longest` bytes is not taken for a blank line."""
    bad: dict[int, BadLine] = field(default_factory=dict)
    """Begin of a line -> why it is no text."""
    finished: bool = False
    error: DataProblemError | None = None
    """Why the file breaks off, where it does."""
    _texts: list[pa.StringArray] = field(default_factory=list)
    _held: list[bytes] = field(default_factory=list)
    """The begin of a line whose end has not been read."""
    _held_bytes: int = 0
    _line_ends: LineEnds = field(default_factory=LineEnds)
    _plain: str = ""

    def __post_init__(self) -> None:
        self._plain = plain_name(self.encoding)

    def texts(self) -> pa.StringArray:
        """The lines without whitespace around them, "" for those that are no text, [lines]."""
        if len(self._texts) != 1:
            self._texts = [pa.concat_arrays(self._texts)] if self._texts else [pa.array([], pa.string())]
        return self._texts[0]

    def read(self, size: int) -> None:
        """Reads up to `size` bytes more."""
        raw = self._next(min(size, self.block))
        data = self._line_ends(raw, last=not raw)
        border = data.rfind(b"\n") + 1
        if border:
            self._take(data[:border])
        self._held_bytes += len(data) - border
        if self._held_bytes <= LONGEST_LINE or not self._held:
            self._held.append(data[border:])
        if not raw:
            self.finished = True
            if self._held_bytes and self.error is None:
                self._take(b"")

    def forget(self, byte: int) -> None:
        """Forgets the lines before the one that is last to begin before this byte."""
        first = max(0, int(np.searchsorted(self.starts, byte)) - 1)
        texts = self.texts()
        self.starts, self.blank = self.starts[first:], self.blank[first:]
        self._texts = [texts.slice(first)]
        if self.bad and len(self.starts):
            self.bad = {begin: line for begin, line in self.bad.items() if begin >= self.starts[0]}

    def forget_all(self) -> None:
        """Forgets all lines that have been read to their end."""
        self.starts, self.blank, self._texts, self.bad = self.starts[:0], self.blank[:0], [], {}

    def _next(self, size: int) -> bytes:
        try:
            return self.file.read1(size)  # type: ignore[attr-defined]
        except DataProblemError as error:
            if error.facts.get("transient"):
                # Whoever reads again would take the documents before it for all that there are.
                raise
            byte = self.end + self._held_bytes
            told = f"{error} (its text could be read up to byte {byte:,})"
            self.error = error.reworded(told, byte=byte)
            return b""

    def _take(self, rest: bytes) -> None:
        """Adds the lines in what is held and `rest`, which ends a line."""
        if self._held_bytes > LONGEST_LINE:
            length = rest.find(b"\n") + 1
            end = self.end + self._held_bytes + length
            line = too_long(self._held[0], self._plain)
            self._add(np.array([self.end]), end, pa.array([""]), {0: line})
            rest = rest[length:]
        else:
            rest = b"".join([*self._held, rest])
        self._held, self._held_bytes = [], 0
        if not rest:
            return
        at, end = self.end, self.end + len(rest)
        if at == 0 and self._plain == "utf-8" and rest.startswith(codecs.BOM_UTF8):
            rest, at = rest.removeprefix(codecs.BOM_UTF8), len(codecs.BOM_UTF8)
        starts = _line_starts(rest)
        texts, bad = _decoded(rest, starts, self._plain)
        self._add(starts[:-1] + at, end, texts, bad)

    def _add(self, starts: Numbers, end: int, texts: pa.StringArray, bad: Mapping[int, BadLine]) -> None:
        blank = np.array(pc.equal(texts, "").to_numpy(zero_copy_only=False))
        blank &= np.diff(starts, append=end) <= self.longest
        blank[list(bad)] = False
        self.starts, self.blank = np.concatenate([self.starts, starts]), np.concatenate([self.blank, blank])
        self.bad |= {int(starts[number]): line for number, line in bad.items()}
        self._texts.append(texts)
        self.end = end


def _line_starts(raw: bytes) -> Numbers:
    """Where each line begins, and where the last one ends, [lines + 1]."""
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == _LINE_END) + 1
    behind = [] if len(ends) and ends[-1] == len(raw) else [len(raw)]
    return np.concatenate([[0], ends, behind]).astype(np.int64)


def _decoded(raw: bytes, starts: Numbers, encoding: str) -> tuple[pa.StringArray, dict[int, BadLine]]:
    """The lines without whitespace around them, and those that are no text by number."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text and len(raw) <= LONGEST_LINE and not may_mix_encodings(raw, encoding):
        utf8, offsets = raw, starts
        if encoding not in {"utf-8", "ascii"}:
            utf8 = text.encode()
            offsets = _line_starts(utf8)
        values, borders = pa.py_buffer(utf8), pa.py_buffer(offsets.astype(np.int32))
        return pc.utf8_trim_whitespace(pa.StringArray.from_buffers(len(offsets) - 1, borders, values)), {}
    places = starts.tolist()
    lines = [one_line(raw[begin:end], encoding) for begin, end in itertools.pairwise(places)]
    bad = {number: line for number, line in enumerate(lines) if isinstance(line, BadLine)}
    return pa.array(["" if isinstance(line, BadLine) else line.strip() for line in lines], pa.string()), bad

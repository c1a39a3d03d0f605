"""Physical lines of a file as text, in blocks, with what is no text told line by line."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from farm_ray.data_handler.file_to_dicts.encodings import (
    check_encoding,
    encoding_hint,
    is_utf8_in_another_encoding,
    may_hold_utf8,
    plain_name,
)
from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 20
LONGEST_LINE = 64 << 20
"""Bytes of a line that are held at once; a longer line is told and skipped."""
_SHOWN = 80
_COMPRESSED = {b"\x1f\x8b\x08": ".gz", b"BZh91AY&SY": ".bz2", b"\x28\xb5\x2f\xfd": ".zst"}
"""What compressed files begin with."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A physical line that is no text."""

    kind: str
    reason: str
    """Goes on from the row's id: `is not utf-8 ...`."""
    value: str
    text: str = ""
    """What can be read of it, to see where its quotes open and close; nothing of a line that is too long."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole physical lines, each with its line end."""

    first: int
    """Number of the first line, from 1."""
    lines: list[str | BadLine]
    text: str | None
    """The lines in one piece; None where one of them is bad."""


def read_blocks(file: BinaryIO, encoding: str, *, first: int = 1, line_ends: LineEnds | None = None) -> Iterator[Block]:
    r"""The file's lines in order; ends are `\n` (a `\r` before it is kept), a byte order mark is taken off.

    Bare `\r` are line ends, too, and come out as `\n`.

    Args:
        file: Bytes that begin at a line's begin.
        encoding: Of the text.
        first: Number of the first line.
        line_ends: Knows where bare `\r` are line ends; None for everywhere.
    """
    check_encoding(encoding)
    plain = plain_name(encoding)
    number = first
    for raw in _whole_lines(file, line_ends or LineEnds()):
        data = raw.removeprefix(codecs.BOM_UTF8) if number == 1 and plain == "utf-8" else raw
        block = _block(data, plain, number)
        number += len(block.lines)
        # Of a file that holds a byte order mark alone nothing is left.
        if block.lines:
            yield block


def _whole_lines(file: BinaryIO, line_ends: LineEnds) -> Iterator[bytes]:
    """Pieces of the file that end at a line end; of a line above `LONGEST_LINE` only that many bytes and one more."""
    pieces: list[bytes] = []
    held = 0
    finished = False
    while not finished:
        raw = file.read(_BLOCK)
        finished = not raw
        data = line_ends(raw, last=finished)
        end = data.rfind(b"\n") + 1
        if end:
            first = data.index(b"\n") + 1 if held > LONGEST_LINE else 0
            yield b"".join([*pieces, b"\n" if first else b"", data[first:end]])
            pieces, held = [], 0
        if held <= LONGEST_LINE:
            pieces.append(data[end:])
            held += len(data) - end
    if held:
        yield b"".join(pieces)


def _block(raw: bytes, encoding: str, first: int) -> Block:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = None
    if text is None or "\0" in text or len(raw) > LONGEST_LINE or may_mix_encodings(raw, encoding):
        return Block(first, [one_line(line, encoding) for line in io.BytesIO(raw)], None)
    return Block(first, list(io.StringIO(text, newline="\n")), text)


def may_mix_encodings(raw: bytes, encoding: str) -> bool:
    """Whether a line among these may be UTF-8 in a file of another encoding; `one_line` finds out."""
    return may_hold_utf8(raw, encoding) and any(
        is_utf8_in_another_encoding(line, encoding) for line in raw.split(b"\n")
    )


def one_line(raw: bytes, encoding: str) -> str | BadLine:
    """A line as text, or why it is none."""
    shown = raw[:_SHOWN].decode(encoding, "replace").rstrip("\r\n")
    if len(raw) > LONGEST_LINE:
        return too_long(raw, encoding)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and encoding != "utf-16":
        mark = "UTF-32" if raw.startswith(codecs.BOM_UTF32_LE) else "UTF-16"
        why = f"begins with the byte order mark of {mark}, which cannot be read line by line; write the file as UTF-8"
        return BadLine("undecodable", why, shown, raw.decode(encoding, "replace"))
    if is_utf8_in_another_encoding(raw, encoding):
        reason = f"is UTF-8 in a file that is otherwise {encoding}; write the file in one encoding"
        return BadLine("mixed encodings", reason, raw[:_SHOWN].decode("utf-8", "replace").rstrip("\r\n"))
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        byte = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
        packed = next((suffix for sign, suffix in _COMPRESSED.items() if raw.startswith(sign)), None)
        known = f"{encoding_hint(encoding)}, or fix the line"
        hint = known if packed is None else f"it begins as a compressed file, so let the file's name end in {packed}"
        reason = f"is not {encoding}: {byte}; {hint}"
        return BadLine("undecodable", reason, shown, raw.decode(encoding, "replace"))
    if "\0" in text:
        return BadLine("NUL byte", "holds a NUL byte; fix the line, or write the file as UTF-8", shown, text)
    return text


def too_long(begin: bytes, encoding: str) -> BadLine:
    """What to say of a line above `LONGEST_LINE` bytes that begins so."""
    shown = begin[:_SHOWN].decode(encoding, "replace").rstrip("\r\n")
    return BadLine("line too long", f"is a line of more than {LONGEST_LINE:,} bytes; split it", shown)

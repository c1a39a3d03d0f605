"""The encoding of a text file: that of the settings, unless the file's bytes show that it is UTF-8."""

from __future__ import annotations

import codecs
import functools
import logging
import re
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.storage import change_stamp, data_suffix, open_binary, redacted
from farm_ray.storage.addresses import WEB, scheme

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

UTF8 = "utf-8"

_BLOCK = 1 << 20
_ENOUGH = 64
"""So many characters of several bytes that are valid UTF-8, and no byte that is not, are no accident."""
_FIRST_LEAD = 0xC0
"""A byte from here on begins a character of several bytes."""
_NO_TEXT = (".parquet",)
_BYTES_OF_A_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_FEW = 3
"""So many in a line, and no other bytes above 127: one or two can be a capital letter and a sign by accident."""


def check_encoding(encoding: str) -> None:
    """Raises ConfigError for an encoding that is not known, or in which a line end is more than one byte."""
    try:
        one_byte = "\n".encode(encoding) == b"\n" or codecs.lookup(encoding).name == "utf-8-sig"
        # Codecs of domain names cannot show what is wrong with a line.
        b"\n".decode(encoding, "replace")
    except (LookupError, ValueError):
        raise ConfigError(
            f'encoding "{encoding}" is not known; usual ones are utf-8, latin-1, cp1252',
            code="unknown-encoding",
            value=encoding,
        ) from None
    if not one_byte:
        raise ConfigError(
            f'encoding "{encoding}" cannot be read line by line; write the file as utf-8',
            code="encoding-without-lines",
            value=encoding,
        )


def plain_name(encoding: str) -> str:
    """Python's name of an encoding; that of UTF-8 whether or not a byte order mark is meant."""
    return codecs.lookup(encoding).name.removesuffix("-sig")


def text_encoding(uri: str | Path, encoding: str, proxies: Mapping[str, str] | None = None) -> str:
    """The encoding to read a text file in: "utf-8" where its bytes show that, else the given one.

    A byte order mark of UTF-8 shows it, and so do bytes above 127 that are all valid UTF-8: the file's first 64
    such characters, or all there are. So every part of a file is read in the same encoding, by whatever
    process. A file that is not read as the settings say is reported once per process.

    Args:
        uri: The file; nothing of it is read where `encoding` is UTF-8 itself.
        encoding: What the settings say.
        proxies: Scheme to proxy address, for web addresses.

    Raises:
        ConfigError: On an encoding that `check_encoding` refuses.
        DataProblemError: When the file cannot be opened.
    """
    check_encoding(encoding)
    address = str(uri)
    if plain_name(encoding) == UTF8 or data_suffix(address) in _NO_TEXT:
        return encoding
    # A web server may not report a change, so each reading looks for itself.
    is_utf8 = _is_utf8(address, proxies) if scheme(address) in WEB else _known_utf8(address, change_stamp(address))
    if not is_utf8:
        return encoding
    _report_once(redacted(address), encoding)
    return UTF8


def encoding_hint(encoding: str) -> str:
    """What to do about a file that is not written in this encoding."""
    usual = "cp1252" if plain_name(encoding) == UTF8 else UTF8
    return f"give the file's encoding, such as encoding={usual!r}"


def may_hold_utf8(raw: bytes, encoding: str) -> bool:
    """False where no line of these bytes is UTF-8 in another encoding, which is soon found out."""
    if plain_name(encoding) == UTF8 or not _is_single_byte(encoding):
        return False
    return _BYTES_OF_A_CHARACTER.search(raw) is not None


def is_utf8_in_another_encoding(line: bytes, encoding: str) -> bool:
    """Whether a line of a file in this encoding is UTF-8, as in files that were joined from parts in both.

    Encodings of several bytes per character are not judged: a line of theirs may be valid UTF-8 by accident.
    """
    if not may_hold_utf8(line, encoding):
        return False
    if line.startswith(codecs.BOM_UTF8):
        return True
    if len(_BYTES_OF_A_CHARACTER.findall(line)) < _FEW:
        return False
    return _BYTES_OF_A_CHARACTER.sub(b"", line).isascii()


@functools.lru_cache(maxsize=64)
def _is_single_byte(encoding: str) -> bool:
    return len(bytes(range(256)).decode(encoding, "replace")) == 256  # noqa: PLR2004 - all values of a byte


@functools.lru_cache(maxsize=10_000)
def _known_utf8(address: str, stamp: str) -> bool:  # noqa: ARG001 - a changed file is looked at again
    return _is_utf8(address, None)


def _is_utf8(address: str, proxies: Mapping[str, str] | None) -> bool:
    with open_binary(address, proxies=proxies) as file:
        try:
            return _shows_utf8(file)
        except DataProblemError as error:
            if error.facts.get("transient"):
                raise
            # The reader reports where the file breaks off, behind the rows before that.
            return False


def _shows_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder(UTF8)()
    seen, at_start = 0, True
    while data := file.read(_BLOCK):
        if at_start and data.startswith(codecs.BOM_UTF8):
            return True
        at_start = False
        try:
            decoder.decode(data)
        except UnicodeDecodeError as error:
            return seen + _characters_of_several_bytes(error.object[: error.start]) >= _ENOUGH
        seen += _characters_of_several_bytes(data)
        if seen >= _ENOUGH:
            return True
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return seen > 0


def _characters_of_several_bytes(data: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) >= _FIRST_LEAD))


@functools.lru_cache(maxsize=10_000)
def _report_once(name: str, encoding: str) -> None:
    logger.warning("%s is written in UTF-8, not in %s as the settings say; it is read as UTF-8", name, encoding)

"""Files as bytes: buffered, decompressed, and with every read error told in one line."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

import pyarrow as pa
from pyarrow import fs

from farm_ray.storage.addresses import WEB, codec, scheme
from farm_ray.storage.scratch import scratch_file
from farm_ray.storage.systems import check_regular, explained, locate, missing
from farm_ray.storage.web import open_web

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_BUFFER = 1 << 20
_S3_BUFFER = 8 << 20  # one request each
_LOOKS_AT_ONCE = 16


class FileState(NamedTuple):
    """What a look at a file shows without reading it."""

    size: int | None
    """Bytes as they are stored; None where a web server does not tell."""
    stamp: str
    """Changes when the file changes: size and time of change of a local file, else ETag and size, where told."""


def open_binary(
    uri: str | Path,
    *,
    decompress: bool = True,
    seekable: bool = False,
    proxies: Mapping[str, str] | None = None,
) -> BinaryIO:
    """The file's bytes, buffered; .gz, .bz2 and .zst are decompressed.

    Args:
        uri: A local path, file://, s3:// or http(s):// address.
        decompress: False gives the bytes as stored.
        seekable: Copies to a temporary file what cannot be sought: compressed files and web pages.
        proxies: Scheme to proxy address, for web addresses only; None takes the environment's.

    Raises:
        DataProblemError: When the file is missing, denied, unreachable or (while reading) broken off or damaged.
    """
    text = str(uri)
    raw = open_web(text, proxies) if scheme(text) in WEB else _open_file(text)
    packing = codec(text) if decompress else None
    if packing:
        raw = pa.CompressedInputStream(raw, packing)
    buffer = _S3_BUFFER if scheme(text) == "s3" else _BUFFER
    file = cast("BinaryIO", io.BufferedReader(_Guarded(raw, text), buffer))
    return _copied(file) if seekable and not file.seekable() else file


def expansion(uri: str | Path) -> float:
    """Bytes of a file's content per byte as it is stored, measured at its begin; 1 where it is not compressed."""
    text = str(uri)
    packing = codec(text)
    if packing is None or scheme(text) in WEB:
        return 1.0
    with explained(text), _open_file(text) as raw:
        # Without a name of its own the stream would be gone, and with it the file closed, before we ask how far it got.
        unpacked = pa.CompressedInputStream(raw, packing)
        content = len(unpacked.read(_BUFFER))
        packed: int = raw.tell()
        return max(1.0, content / max(1, packed))


def file_stamp(uri: str | Path) -> str:
    """What changes when the file changes: sha256 of a local file; ETag and size on s3:// and the web, where told.

    Raises:
        DataProblemError: When the file cannot be read.
    """
    text = str(uri)
    told = _headers(text)
    if "etag" in told:
        return f"{told['etag']}-{told.get('content-length', '')}"
    with open_binary(text, decompress=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def change_stamp(uri: str | Path) -> str:
    """As `file_stamp` by a single look that reads nothing: size and time of change of a local file.

    Raises:
        DataProblemError: When there is no such file, or that cannot be found out.
    """
    return file_state(uri).stamp


def file_state(uri: str | Path) -> FileState:
    """Size and change stamp of a file by a single look that reads nothing.

    Raises:
        DataProblemError: When there is no such file, or that cannot be found out.
    """
    text = str(uri)
    if scheme(text) == "s3" or scheme(text) in WEB:
        told = _headers(text)
        length = told.get("content-length", "")
        stamp = f"{told.get('etag') or told.get('last-modified', '')}-{length}"
        return FileState(int(length) if length.isdigit() else None, stamp)
    system, inside = locate(text)
    with explained(text):
        found = system.get_file_info(inside)
    if found.type == fs.FileType.NotFound:
        raise missing(text, system, inside)
    return FileState(found.size, f"{found.size}-{found.mtime_ns}")


def file_states(uris: Sequence[str]) -> list[FileState]:
    """As `file_state` for each of these files, several at once, as every look at a distant one takes its time."""
    with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
        return list(pool.map(file_state, uris))


def _headers(uri: str) -> dict[str, str]:
    """What a server says of a file, names in lower case; nothing of a local one."""
    if scheme(uri) in WEB:
        with open_web(uri) as page:
            return {name.lower(): value for name, value in page.response.headers.items()}
    if scheme(uri) != "s3":
        return {}
    with explained(uri), _open_file(uri) as file:
        return {name.lower(): value.decode() for name, value in file.metadata().items()}


class _Guarded(io.RawIOBase):
    """A raw file whose errors become one-line DataProblemErrors."""

    def __init__(self, raw: Any, uri: str) -> None:
        super().__init__()
        self._raw = raw
        self._uri = uri

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return scheme(self._uri) not in WEB and bool(self._raw.seekable())

    def readinto(self, buffer: Any) -> int:
        with explained(self._uri):
            return int(self._raw.readinto(buffer))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with explained(self._uri):
            return int(self._raw.seek(offset, whence))

    def tell(self) -> int:
        return int(self._raw.tell())

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def _open_file(uri: str) -> pa.NativeFile:
    system, inside = locate(uri)
    if isinstance(system, fs.LocalFileSystem):
        check_regular(uri, inside)
    with explained(uri):
        try:
            return system.open_input_file(inside)
        except FileNotFoundError:
            raise missing(uri, system, inside) from None


def _copied(file: BinaryIO) -> BinaryIO:
    copy = scratch_file()
    with file:
        shutil.copyfileobj(file, copy, _BUFFER)
    copy.seek(0)
    return copy

"""Files as bytes: buffered, decompressed, and with every read error told in one line."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pyarrow as pa

from farm_ray.storage.addresses import WEB, codec, scheme
from farm_ray.storage.systems import explained, locate, missing
from farm_ray.storage.web import open_web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BUFFER = 1 << 20
_S3_BUFFER = 8 << 20  # one request each


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
        content = len(pa.CompressedInputStream(raw, packing).read(_BUFFER))
        return max(1.0, content / max(1, min(raw.tell(), raw.size())))


def file_stamp(uri: str | Path) -> str:
    """What changes when the file changes: sha256 of a local file; ETag and size on s3:// and the web, where told.

    Raises:
        DataProblemError: When the file cannot be read.
    """
    text = str(uri)
    told: dict[str, str] = {}
    if scheme(text) in WEB:
        with open_web(text) as page:
            told = {name.lower(): value for name, value in page.response.headers.items()}
    elif scheme(text) == "s3":
        with explained(text), _open_file(text) as file:
            told = {name.lower(): value.decode() for name, value in file.metadata().items()}
    if "etag" in told:
        return f"{told['etag']}-{told.get('content-length', '')}"
    with open_binary(text, decompress=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


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
    with explained(uri):
        try:
            return system.open_input_file(inside)
        except FileNotFoundError:
            raise missing(uri, system, inside) from None


def _copied(file: BinaryIO) -> BinaryIO:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with file:
        shutil.copyfileobj(file, copy, _BUFFER)
    copy.seek(0)
    return cast("BinaryIO", copy)

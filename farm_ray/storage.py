"""Files wherever they are: local paths, file://, s3:// and http(s):// behind one small set of functions.

Messages name addresses as `redacted` gives them: without user, password, query and fragment.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import fnmatch
import hashlib
import io
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa
from pyarrow import fs

from farm_ray.errors import ConfigError, DataProblemError, FarmRayError

DATA_SUFFIXES = (".tsv", ".csv", ".txt", ".json", ".jsonl", ".parquet")
"""Suffixes of data files; each may carry a compression suffix too."""
COMPRESSION = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}

HTTP_TIMEOUT_S = 60.0
"""Seconds until a silent web server is given up."""
S3_TIMEOUT_S = 20.0
"""Seconds until a silent object store is given up; tried three times."""

_WEB = ("http", "https")
_S3_OPTIONS = ("endpoint_override", "region", "scheme")
_LOCAL_BUFFER = 1 << 20
_REMOTE_BUFFER = 8 << 20
_WILDCARD = re.compile(r"[*?\[]")
_AWS_ERROR = re.compile(r"AWS Error (\w+)")
_AWS_REASONS = {
    "ACCESS_DENIED": "access denied; check the credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE, ...) and their rights",
    "NO_SUCH_BUCKET": "there is no such bucket",
    "NETWORK_CONNECTION": "the object store does not answer; check AWS_ENDPOINT_URL and the network",
    "UNKNOWN": "the object store refused; check the credentials and AWS_ENDPOINT_URL",
}
_HTTP_REASONS = {401: "access denied", 403: "access denied", 404: "there is no such file", 410: "the file is gone"}
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def redacted(uri: str | Path) -> str:
    """The address for a message: no user, password, query or fragment; a local path stays as it is."""
    text = str(uri)
    if _scheme(text) == "":
        return text
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def file_name(uri: str | Path) -> str:
    """The last part of the path: `train.tsv.gz` for `s3://bucket/set/train.tsv.gz?region=eu-west-1`."""
    return redacted(uri).rstrip("/").rpartition("/")[2]


def data_suffix(uri: str | Path) -> str:
    """The suffix in lower case, a compression suffix taken off first: `.tsv` for `TRAIN.TSV.gz`; "" for none."""
    name = Path(file_name(uri).lower())
    return name.with_suffix("").suffix if name.suffix in COMPRESSION else name.suffix


def join(base: str | Path | None, name: str | Path) -> str:
    """`name` inside `base`; `name` itself where it is an absolute path or an address, or where `base` is None."""
    folder, inside = str(base or ""), str(name)
    if not folder or _scheme(inside) or inside.startswith(("/", "~")):
        return inside
    if not _scheme(folder):
        return str(Path(folder) / inside)
    parts = urlsplit(folder)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{inside}").geturl()


def list_files(path: str | Path, *, suffixes: Sequence[str] | None = None) -> list[str]:
    """The files that a path means, sorted by name.

    Args:
        path: A file, a folder (its data files, without sub-folders and hidden files), a pattern with `*`, `?`, `[...]`
            or `**`, local or on s3://; a web address stands for itself.
        suffixes: Keep files of a folder or pattern with these suffixes (compression aside); None keeps
            `DATA_SUFFIXES` in a folder, and all that a pattern names.

    Raises:
        DataProblemError: When nothing is there; names the nearest files.
        ConfigError: For a kind of address that is not known.
    """
    uri = str(path)
    if _scheme(uri) in _WEB:
        return [uri]
    system, inside = _locate(uri)
    with _explained(uri):
        info = system.get_file_info(inside)
        if info.type == fs.FileType.Directory:
            wanted = DATA_SUFFIXES if suffixes is None else tuple(suffixes)
            return _found(uri, inside, [f for f in _children(system, inside) if data_suffix(f) in wanted], wanted)
        if info.type != fs.FileType.NotFound:
            return [uri]
        if _WILDCARD.search(inside):
            matches = [f for f in _matches(system, inside) if suffixes is None or data_suffix(f) in suffixes]
            return _found(uri, inside, matches, suffixes or ())
        raise _missing(uri, system, inside)


def exists(uri: str | Path) -> bool:
    """True where a file or folder is there.

    Raises:
        DataProblemError: When that cannot be found out: no answer, no permission.
    """
    text = str(uri)
    if _scheme(text) in _WEB:
        try:
            _open_web(text, None).close()
        except DataProblemError as error:
            if error.facts.get("status") in (404, 410):
                return False
            raise
        return True
    system, inside = _locate(text)
    with _explained(text):
        return bool(system.get_file_info(inside).type != fs.FileType.NotFound)


def file_stamp(uri: str | Path) -> str:
    """What changes when the file changes: sha256 of a local file; ETag and size on s3:// and the web, where told."""
    text = str(uri)
    if _scheme(text) in _WEB:
        with _open_web(text, None) as page:
            told = {name.lower(): value for name, value in page.response.headers.items()}
        if "etag" in told:
            return f"{told['etag']}-{told.get('content-length', '')}"
    elif _scheme(text) == "s3":
        system, inside = _locate(text)
        with _explained(text), system.open_input_file(inside) as file:
            told = {name.lower(): value.decode() for name, value in file.metadata().items()}
        return f"{told['etag']}-{told['content-length']}"
    with open_binary(text, decompress=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    codec = COMPRESSION.get(Path(file_name(text)).suffix.lower()) if decompress else None
    if _scheme(text) in _WEB:
        raw: Any = _open_web(text, proxies)
    else:
        system, inside = _locate(text)
        with _explained(text):
            try:
                raw = system.open_input_file(inside)
            except FileNotFoundError:
                raise _missing(text, system, inside) from None
    if codec:
        raw = pa.CompressedInputStream(raw, codec)
    size = _REMOTE_BUFFER if _scheme(text) == "s3" else _LOCAL_BUFFER
    file = cast("BinaryIO", io.BufferedReader(_Guarded(raw, text), size))
    return _spooled(file) if seekable and not file.seekable() else file


@contextlib.contextmanager
def open_output(uri: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write; it appears under its name when the block ends without an error, whole or not at all.

    A local file is written aside and renamed, missing folders are made; s3:// is uploaded at the end of the block.
    .gz, .bz2 and .zst are compressed.

    Raises:
        ConfigError: When the place cannot be written.
    """
    text = str(uri)
    if _scheme(text) in _WEB:
        raise ConfigError(f"cannot write to {redacted(text)}; give a local path or an s3:// address")
    with _explained(text, ConfigError, "write"):
        system, inside = _locate(text)
        if system.get_file_info(inside).type == fs.FileType.Directory or text.endswith("/"):
            raise ConfigError(f"cannot write {redacted(text)}: it is a folder; name a file in it", file=redacted(text))
        if _scheme(text) == "s3" and system.get_file_info(inside.split("/")[0]).type == fs.FileType.NotFound:
            raise ConfigError(f"cannot write {redacted(text)}: there is no such bucket", file=redacted(text))
    writer = _uploaded(system, inside, text) if _scheme(text) == "s3" else _renamed(Path(inside), text)
    codec = COMPRESSION.get(Path(inside).suffix.lower())
    with writer as file:
        if codec:
            with pa.CompressedOutputStream(pa.PythonFile(file, "w"), codec) as packed:
                yield cast("BinaryIO", packed)
        else:
            yield file


class _Guarded(io.RawIOBase):
    """A raw file whose read errors become one-line DataProblemErrors."""

    def __init__(self, raw: Any, uri: str) -> None:
        self._raw = raw
        self._uri = uri
        super().__init__()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._raw.seekable()) and _scheme(self._uri) not in _WEB

    def readinto(self, buffer: Any) -> int:
        with _explained(self._uri):
            data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _explained(self._uri):
            return int(self._raw.seek(offset, whence))

    def tell(self) -> int:
        return int(self._raw.tell())

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


@contextlib.contextmanager
def _explained(uri: str, kind: type[FarmRayError] = DataProblemError, doing: str = "read") -> Iterator[None]:
    """Turns errors of files, networks and codecs into one line that keeps credentials to itself."""
    try:
        yield
    except FarmRayError:
        raise
    except Exception as error:
        known = isinstance(error, OSError | EOFError | pa.ArrowException)
        if not known and type(error).__module__.split(".")[0] not in ("requests", "urllib3"):
            raise
        name = redacted(uri)
        response = getattr(error, "response", None)
        facts = {"file": name, "status": getattr(response, "status_code", None)}
        raise kind(f"cannot {doing} {name}: {_reason(error)}", **facts) from None


def _reason(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"{_HTTP_REASONS.get(status, 'the server refused')} (HTTP {status})"
    text = str(error)
    aws = _AWS_ERROR.search(text)
    if aws:
        return _AWS_REASONS.get(aws[1], f"the object store says {aws[1]}")
    number = error.errno if isinstance(error, OSError) else None
    if number is not None:
        return os.strerror(number)
    if "imeout" in type(error).__name__ or "timed out" in text:
        return f"no answer within {HTTP_TIMEOUT_S:g} seconds"
    if "IncompleteRead" in text:
        return "the connection broke off before the end of the file"
    if type(error).__module__.split(".")[0] in ("requests", "urllib3"):
        return "no connection to the server"
    if "runcated" in text:
        return "the compressed file breaks off before its end; copy it again"
    if "decompress" in text or "inflate" in text:
        return "it is not compressed as its suffix says, or it is damaged"
    if "Bucket" in text and "not found" in text:
        return "there is no such bucket"
    return type(error).__name__


def _scheme(uri: str) -> str:
    """`s3` for `s3://...`, "" for a local path."""
    scheme, sign, _ = uri.partition("://")
    return scheme.lower() if sign and scheme.isalnum() else ""


def _locate(uri: str) -> tuple[fs.FileSystem, str]:
    """File system and the path in it, for all but web addresses."""
    scheme = _scheme(uri)
    if scheme == "":
        return fs.LocalFileSystem(), str(Path(uri).expanduser())
    if scheme == "file":
        return fs.LocalFileSystem(), unquote(uri.partition("://")[2].removeprefix("localhost"))
    if scheme == "s3":
        return _s3(uri)
    raise ConfigError(f"{redacted(uri)}: {scheme}:// is not known; give a local path, file://, s3:// or http(s)://")


def _s3(uri: str) -> tuple[fs.S3FileSystem, str]:
    """The object store, with waiting times of our own: Arrow's usual ones keep a dead server's user for minutes."""
    parts = urlsplit(uri)
    account, _, bucket = parts.netloc.rpartition("@")
    user, _, password = account.partition(":")
    options = dict(parse_qsl(parts.query))
    unknown = sorted(options.keys() - set(_S3_OPTIONS))
    if unknown or not bucket:
        wrong = f'unknown option "{unknown[0]}"' if unknown else "no bucket is named"
        raise ConfigError(f"{redacted(uri)}: {wrong}; the form is s3://bucket/key?{'=...&'.join(_S3_OPTIONS)}=...")
    environment = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    endpoint = options.get("endpoint_override") or environment
    region = options.get("region") or (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))
    with _explained(uri):
        system = fs.S3FileSystem(
            access_key=unquote(user) or None,
            secret_key=unquote(password) or None,
            endpoint_override=endpoint,
            scheme=options.get("scheme"),
            region=(region or "us-east-1") if endpoint else options.get("region") or fs.resolve_s3_region(bucket),
            connect_timeout=S3_TIMEOUT_S,
            request_timeout=S3_TIMEOUT_S,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
        )
    return system, (bucket + parts.path).rstrip("/")

"""From an address to Arrow's file system, and from the errors of disks, networks and codecs to one readable line."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import re
import stat
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

import pyarrow as pa
from pyarrow import fs

from farm_ray.credentials import S3_OPTIONS, split_s3
from farm_ray.errors import ConfigError, DataProblemError, FarmRayError
from farm_ray.foreign import quoted, shown
from farm_ray.storage.addresses import local_path, redacted, scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

S3_TIMEOUT_S = 20.0
"""Seconds until a silent object store is asked again, three times in all."""

_OF_THE_SYSTEM = ("/proc", "/sys")
_WEB_LIBRARIES = ("requests", "urllib3")
_AWS_ERROR = re.compile(r"AWS Error (\w+)(?: \(HTTP status (\d+)\))?")
_AWS_REASONS = {
    "ACCESS_DENIED": "access denied; check the credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE, ...) and their rights",
    "INVALID_ACCESS_KEY_ID": "the access key is not known; check AWS_ACCESS_KEY_ID",
    "NETWORK_CONNECTION": "no answer from the object store; check AWS_ENDPOINT_URL and the network",
    "NO_SUCH_BUCKET": "there is no such bucket",
    "NO_SUCH_KEY": "there is no such file",
    "SIGNATURE_DOES_NOT_MATCH": "the secret key does not fit; check AWS_SECRET_ACCESS_KEY",
    "SLOW_DOWN": "the object store is asked too much at once",
}
_AWS_STATUS = {"ACCESS_DENIED": 403, "INVALID_ACCESS_KEY_ID": 403, "SIGNATURE_DOES_NOT_MATCH": 403, "NO_SUCH_KEY": 404}
_AWS_PASSING = (
    "INTERNAL_FAILURE",
    "NETWORK_CONNECTION",
    "REQUEST_TIMEOUT",
    "SERVICE_UNAVAILABLE",
    "SLOW_DOWN",
    "THROTTLING",
)
_PASSING_STATUS = (408, 425, 429)
"""Besides all from 500 on."""
_PASSING_ERRNO = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT)
"""As network file systems tell them."""
_PASSING_ERRORS = {"ConnectionError", "Timeout", "TimeoutError", "ProtocolError", "ChunkedEncodingError"}
"""Names of classes, Python's own, of requests and of urllib3."""
_HTTP_REASONS = {401: "access denied", 403: "access denied", 404: "there is no such file", 410: "the file is gone"}
_TOLD = (
    ("IncompleteRead", "the connection broke off before the end of the file"),
    ("imed out", "no answer in time from the server"),
    ("runcated compressed", "the compressed file breaks off before its end; copy it again"),
    ("decompress", "it is damaged, or not compressed as its suffix says"),
    ("inflate", "it is damaged, or not compressed as its suffix says"),
    ("is a directory", "it is a folder; name a file in it"),
    ("codec can't", "a name there is not UTF-8; rename the file"),
    ("Empty path component", "names between slashes must not be empty; rename the file or folder"),
    ("not found", "there is no such bucket"),
)


def locate(uri: str) -> tuple[fs.FileSystem, str]:
    """File system and the path in it, for all but web addresses.

    Raises:
        ConfigError: For an address of another kind.
        DataProblemError: When the object store does not answer.
    """
    kind = scheme(uri)
    if kind in {"", "file"}:
        return fs.LocalFileSystem(), str(local_path(uri))
    if kind == "s3":
        return _s3(uri)
    raise ConfigError(
        f"{redacted(uri)}: {kind}:// is not known; give a local path, file://, s3:// or http(s)://",
        code="unknown-address",
        file=redacted(uri),
    )


def rebuild(uri: str, inside: str) -> str:
    """The address of another path in the same place: account and options of `uri` are kept."""
    if scheme(uri) != "s3":
        return inside
    bucket, _, key = inside.partition("/")
    return split_s3(uri)._replace(bucket=bucket, key=key).address()


@contextlib.contextmanager
def explained(uri: str, doing: str = "read") -> Iterator[None]:
    """Turns errors of files, networks and codecs into one line that keeps credentials to itself.

    Its facts: `file`; `status`, that of HTTP where one was told; `transient`, True where the same request may succeed
    a little later: no connection, no answer in time, a server that is overloaded or fails, a broken connection.
    """
    try:
        yield
    except FarmRayError:
        raise
    except UnicodeError as error:
        # Arrow's names of files are texts.
        odd = shown(error.object) if isinstance(error, UnicodeDecodeError | UnicodeEncodeError) else "a name"
        reason = f"the name {odd} is not UTF-8; rename the file or folder"
        raise _failure(doing, quoted(redacted(uri)), reason, file=redacted(uri)) from None
    except Exception as error:
        known = isinstance(error, OSError | EOFError | UnicodeError | pa.ArrowException)
        if not known and type(error).__module__.split(".")[0] not in _WEB_LIBRARIES:
            raise
        status, name = _status(error), redacted(uri).encode("utf-8", "backslashreplace").decode()
        facts = {"file": name, "status": status, "transient": _may_pass(error, status)}
        raise _failure(doing, name, _reason(error, status), **facts) from None


def _failure(doing: str, name: str, reason: str, **facts: object) -> FarmRayError:
    told = f"cannot {doing} {name}: {reason}"
    if doing == "read":
        return DataProblemError(told, code="cannot-read", **facts)
    return ConfigError(told, code="cannot-write", **facts)


def missing(uri: str, system: fs.FileSystem, inside: str) -> DataProblemError:
    """The error for a path at which nothing is; names the nearest files of that folder."""
    name = redacted(uri)
    if scheme(uri) == "s3" and system.get_file_info(inside.split("/", maxsplit=1)[0]).type == fs.FileType.NotFound:
        return DataProblemError(f"cannot read {name}: there is no such bucket", code="bucket-not-found", file=name)
    folder, _, wanted = inside.rpartition("/")
    kind = system.get_file_info(folder or ".").type
    if kind == fs.FileType.File:
        shown = redacted(rebuild(uri, folder))
        return DataProblemError(
            f"cannot read {name}: {shown} is a file; name the folder it is in", code="parent-is-a-file", file=name
        )
    if kind != fs.FileType.Directory:
        return DataProblemError(f"cannot read {name}: there is no folder {folder}", code="folder-not-found", file=name)
    there = [path.rpartition("/")[2] for path in files_in(system, folder or ".")]
    near = difflib.get_close_matches(wanted, there, n=3, cutoff=0.5) or sorted(there)[:5]
    hint = f"near it are: {', '.join(near)}" if near else "its folder holds no files"
    return DataProblemError(f"cannot read {name}: there is no such file; {hint}", code="file-not-found", file=name)


def check_regular(uri: str, inside: str) -> None:
    """Refuses a local path to what is read once only, or without end: pipes, devices, the system's own files.

    What is not there is told by who opens it.

    Raises:
        DataProblemError: With what it is.
    """
    try:
        mode, place = Path(inside).stat().st_mode, Path(inside).resolve()
    except (OSError, RuntimeError, ValueError):
        return
    of_system = any(place.is_relative_to(folder) for folder in _OF_THE_SYSTEM)
    if stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and not of_system):
        return
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))
    kind = next((name for fits, name in kinds if fits(mode)), "no file on a disk")
    name = redacted(uri)
    raise DataProblemError(
        f"cannot read {name}: it is {kind}; save what it gives to a file first", code="not-a-plain-file", file=name
    )


def files_in(system: fs.FileSystem, folder: str) -> list[str]:
    """Paths of the files right in the folder, hidden ones left out."""
    found = system.get_file_info(fs.FileSelector(folder))
    return [info.path for info in found if info.type != fs.FileType.Directory and not info.base_name.startswith(".")]


def _s3(uri: str) -> tuple[fs.S3FileSystem, str]:
    """The object store, with waiting times of our own: Arrow's usual ones keep us for minutes at a silent server."""
    account, bucket, key, query = split_s3(uri)
    if ":" in bucket:
        # The slash ended what was meant as the account.
        raise ConfigError(
            f"{redacted(uri)}: write %2F for a / in the secret key, or set AWS_SECRET_ACCESS_KEY instead",
            code="invalid-address",
            file=redacted(uri),
        )
    user, _, password = account.partition(":")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(S3_OPTIONS))
    if unknown or not bucket:
        wrong = f'unknown option "{unknown[0]}"' if unknown else "no bucket is named"
        form = (
            f"s3://bucket/key, with ?{'=, '.join(S3_OPTIONS)}=, and another ? at the end where a ? is part of the key"
        )
        raise ConfigError(f"{redacted(uri)}: {wrong}; the form is {form}", code="invalid-address", file=redacted(uri))
    endpoint = options.get("endpoint_override") or _environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    own_region = _environment("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"
    with explained(uri):
        region = options.get("region") or (own_region if endpoint else fs.resolve_s3_region(bucket))
        system = fs.S3FileSystem(
            access_key=unquote(user) or None,
            secret_key=unquote(password) or None,
            endpoint_override=endpoint,
            scheme=options.get("scheme"),
            region=region,
            connect_timeout=S3_TIMEOUT_S,
            request_timeout=S3_TIMEOUT_S,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
        )
    return system, f"{bucket}/{key}".rstrip("/")


def _environment(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _status(error: Exception) -> int | None:
    """The HTTP status that this error carries, or stands for."""
    aws = _AWS_ERROR.search(str(error))
    if aws:
        return int(aws[2]) if aws[2] else _AWS_STATUS.get(aws[1])
    told: int | None = getattr(getattr(error, "response", None), "status_code", None)
    return told


def _may_pass(error: Exception, status: int | None) -> bool:
    if status is not None:
        return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING_STATUS
    if aws := _AWS_ERROR.search(str(error)):
        return aws[1] in _AWS_PASSING
    names = {kind.__name__ for kind in type(error).__mro__}
    # A certificate that is not accepted is a ConnectionError too, and will not be accepted later.
    return (not names.isdisjoint(_PASSING_ERRORS) and "SSLError" not in names) or (
        isinstance(error, OSError) and error.errno in _PASSING_ERRNO
    )


def _reason(error: Exception, status: int | None) -> str:
    text = str(error)
    aws = _AWS_ERROR.search(text)
    if aws and not aws[2]:
        return _AWS_REASONS.get(aws[1], f"the object store says {aws[1]}")
    if status is not None:
        return f"{_HTTP_REASONS.get(status, 'the server refused')} (HTTP {status})"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    for sign, reason in _TOLD:
        if sign in text:
            return reason
    if type(error).__module__.split(".")[0] in _WEB_LIBRARIES:
        return "no connection to the server"
    return type(error).__name__

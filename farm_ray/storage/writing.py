"""Files to write: they appear under their name when they are whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa
from pyarrow import fs

from farm_ray.errors import ConfigError
from farm_ray.storage.addresses import WEB, codec, join, redacted, scheme
from farm_ray.storage.systems import explained, locate

if TYPE_CHECKING:
    from collections.abc import Iterator

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def open_output(uri: str | Path, *, aside_in: str | Path | None = None) -> Iterator[BinaryIO]:
    """A binary file to write; it appears under its name when the block ends without an error, whole or not at all.

    A local file is written aside and renamed, missing folders are made; s3:// is uploaded at the end of the block.
    .gz, .bz2 and .zst are compressed.

    Args:
        uri: The file.
        aside_in: Folder for a local file that is not whole yet, made where it is missing; where it is None, or on
            another disk, the file's own folder is taken.

    Raises:
        ConfigError: When the place cannot be written, or the disk is full.
    """
    text = str(uri)
    redacted(text)
    with explained(text, ConfigError, "write"):
        system, inside = _place(text)
        target = Path(inside).resolve()
        aside = _aside(system, target, target.parent if aside_in is None else Path(aside_in))
        file = _opened(aside, codec(text))
    try:
        yield file
        with explained(text, ConfigError, "write"):
            file.close()
            _publish(system, aside, inside if scheme(text) == "s3" else target)
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise ConfigError(
                f"cannot write {redacted(text)}: {os.strerror(error.errno)}", file=redacted(text)
            ) from None
        raise
    finally:
        with contextlib.suppress(OSError):
            file.close()
        if aside != target:
            aside.unlink(missing_ok=True)


def check_folder(uri: str | Path) -> None:
    """Finds out whether files can be written and removed in a folder or under an s3:// prefix; leaves no file there.

    Raises:
        ConfigError: When they cannot.
    """
    text = str(uri)
    with explained(text, ConfigError, "write to"):
        system, folder = _writable_system(text)
        probe = join(folder, f".probe-{uuid.uuid4().hex[:8]}")
        if isinstance(system, fs.LocalFileSystem):
            _try_folder(Path(folder), Path(probe))
        else:
            system.open_output_stream(probe).close()
            system.delete_file(probe)


def remove(uri: str | Path) -> None:
    """Removes a file where there is one.

    Raises:
        ConfigError: When it cannot be removed.
    """
    text = str(uri)
    with explained(text, ConfigError, "remove"):
        system, inside = locate(text)
        if system.get_file_info(inside).type != fs.FileType.NotFound:
            system.delete_file(inside)


def _place(uri: str) -> tuple[fs.FileSystem, str]:
    system, inside = _writable_system(uri)
    if uri.endswith("/") or system.get_file_info(inside).type == fs.FileType.Directory:
        name = redacted(uri)
        raise ConfigError(f"cannot write {name}: it is a folder; name a file in it", file=name)
    return system, inside


def _writable_system(uri: str) -> tuple[fs.FileSystem, str]:
    name = redacted(uri)
    if scheme(uri) in WEB:
        raise ConfigError(f"cannot write {name}: web addresses can only be read; give a local path or s3://", file=name)
    system, inside = locate(uri)
    bucket = inside.split("/")[0]
    if scheme(uri) == "s3" and system.get_file_info(bucket).type == fs.FileType.NotFound:
        raise ConfigError(f"cannot write {name}: there is no bucket {bucket}", file=name)
    return system, inside


def _try_folder(folder: Path, probe: Path) -> None:
    if folder.is_file():
        raise ConfigError(f"cannot write to {folder}: it is a file; name a folder", file=str(folder))
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
    finally:
        for tidy in (probe.unlink, *(path.rmdir for path in made)):
            with contextlib.suppress(OSError):
                tidy()


def _aside(system: fs.FileSystem, target: Path, folder: Path) -> Path:
    """Where the bytes go first; the target itself where it is a device or a pipe."""
    if not isinstance(system, fs.LocalFileSystem):
        handle, path = tempfile.mkstemp(suffix=target.name)
        os.close(handle)
        return Path(path)
    if target.exists() and not target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    same_disk = folder.stat().st_dev == target.parent.stat().st_dev
    return (folder if same_disk else target.parent) / f".{target.name}.{uuid.uuid4().hex[:8]}"


def _opened(path: Path, packing: str | None) -> BinaryIO:
    if packing is None:
        return path.open("wb")
    return cast("BinaryIO", pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), packing))


def _publish(system: fs.FileSystem, aside: Path, target: str | Path) -> None:
    if isinstance(target, str):
        with aside.open("rb") as source, system.open_output_stream(target, compression=None) as upload:
            shutil.copyfileobj(source, upload, 8 << 20)
    elif aside != target:
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(target)

"""Files to write: they appear under their name when they are whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa
from pyarrow import fs

from farm_ray.errors import ConfigError
from farm_ray.leftovers import aside_name, remove_leftovers
from farm_ray.storage.addresses import WEB, codec, join, local_path, redacted, scheme
from farm_ray.storage.scratch import DISK_FULL, no_room, scratch_folder
from farm_ray.storage.systems import explained, locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_RAYS_COPY = "/runtime_resources/working_dir_files/"


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
        ConfigError: When the place cannot be written, or the disk is full; what was written so far is gone.
    """
    text = str(uri)
    redacted(text)
    made: list[Path] = []
    with contextlib.ExitStack() as opened:
        with explained(text, "write"):
            system, inside = _place(text)
            is_local = isinstance(system, fs.LocalFileSystem)
            target = Path(inside).resolve()
            if is_local:
                made = missing_folders(target)
                opened.callback(remove_empty, made)
                aside = _aside(target, target.parent if aside_in is None else Path(aside_in))
            else:
                aside = opened.enter_context(scratch_folder("upload")) / "file"
            file = _opened(aside, codec(text))
        if aside != target:
            opened.callback(aside.unlink, missing_ok=True)
        opened.callback(_close, file)
        try:
            yield file
            with explained(text, "write"):
                file.close()
                _publish(system, aside, target if is_local else inside)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            if not is_local:
                raise no_room(error) from None
            raise ConfigError(
                f"cannot write {redacted(text)}: {os.strerror(error.errno)}", code="cannot-write", file=redacted(text)
            ) from None


def missing_folders(path: Path) -> list[Path]:
    """The folders above a path that are not there, the lowest first."""
    return [folder for folder in path.absolute().parents if not folder.exists()]


def remove_empty(folders: Sequence[Path]) -> None:
    """Removes those of the folders that hold nothing, the lowest first."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def check_lasting(place: str | Path, *, hint: str = "give an absolute path, or an s3:// address") -> None:
    """Refuses an empty path, and a place in the copy of the code that Ray unpacks for a job and clears afterwards.

    That is where relative paths lead inside of `ray job submit --working-dir`. An empty path is what a shell makes of
    a variable that is not set.

    Raises:
        ConfigError: Names the place and gives the hint.
    """
    if not str(place):
        raise ConfigError(f"an empty path names no place; {hint}", code="empty-path", file="")
    if scheme(place) in {"", "file"} and _RAYS_COPY in str(local_path(place).absolute()):
        raise ConfigError(
            f"{place} lies in the copy of the code that Ray made for this job and removes afterwards; {hint}",
            code="folder-of-short-life",
            file=str(place),
        )


def check_folder(uri: str | Path) -> None:
    """Finds out whether files can be written and removed in a folder or under an s3:// prefix; leaves no file there.

    Raises:
        ConfigError: When they cannot.
    """
    text = str(uri)
    with explained(text, "write to"):
        system, folder = _writable_system(text)
        probe = join(folder, aside_name("probe"))
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
    with explained(text, "remove"):
        system, inside = locate(text)
        if system.get_file_info(inside).type != fs.FileType.NotFound:
            system.delete_file(inside)


def _place(uri: str) -> tuple[fs.FileSystem, str]:
    system, inside = _writable_system(uri)
    if uri.endswith("/") or system.get_file_info(inside).type == fs.FileType.Directory:
        name = redacted(uri)
        raise ConfigError(f"cannot write {name}: it is a folder; name a file in it", code="path-is-a-folder", file=name)
    return system, inside


def _writable_system(uri: str) -> tuple[fs.FileSystem, str]:
    name = redacted(uri)
    if scheme(uri) in WEB:
        raise ConfigError(
            f"cannot write {name}: web addresses can only be read; give a local path or s3://",
            code="cannot-write",
            file=name,
        )
    check_lasting(uri)
    system, inside = locate(uri)
    bucket = inside.split("/")[0]
    if scheme(uri) == "s3" and system.get_file_info(bucket).type == fs.FileType.NotFound:
        raise ConfigError(f"cannot write {name}: there is no bucket {bucket}", code="no-bucket", file=name)
    return system, inside


def _try_folder(folder: Path, probe: Path) -> None:
    if folder.is_file():
        raise ConfigError(
            f"cannot write to {folder}: it is a file; name a folder", code="not-a-folder", file=str(folder)
        )
    made = missing_folders(probe)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
        remove_empty(made)


def _aside(target: Path, folder: Path) -> Path:
    """Where the bytes go first; the target itself where it is a device or a pipe."""
    if target.exists() and not target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    same_disk = folder.stat().st_dev == target.parent.stat().st_dev
    place = folder if same_disk else target.parent
    remove_leftovers(place, target.name)
    return place / aside_name(target.name)


def _close(file: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        file.close()


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

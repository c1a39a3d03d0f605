"""Folders that are whole or not there: written aside, checksummed, renamed; verified when read."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import socket
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError, FarmRayError, ModelFolderError
from farm_ray.foreign import JSON_BYTES, is_file, parse_json, read_text

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKSUMS = "checksums.json"
_BLOCK = 1 << 20
_SECONDS_UNTOUCHED = 3600
"""A writer changes some file in its folder far more often; longer than two machines' clocks differ."""
_WRITING = re.compile(r"\..+\.writing-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}")
_REPLACED = re.compile(r"\.(.+)\.replaced-[0-9a-f]{8}")


def publish_folder(path: str | Path, write: Callable[[Path], None], *, overwrite: bool = True) -> Path:
    """Lets `write` fill a folder beside `path`, then moves it to `path` in one step.

    Whatever happens inside `write`, `path` holds either what it held before or everything that was written,
    together with `checksums.json` (size in bytes and sha256 per file). Several processes may publish the same `path`
    at once: the last one stays. Only a kill between the two renames of a replacement leaves `path` missing.

    Raises:
        ConfigError: When the disk is full or the place is not writable; nothing is left behind.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} exists already; give another folder or remove it", file=str(path))
    aside = path.parent / f".{path.name}.writing-{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        aside.mkdir(parents=True)
        write(aside)
        _write_checksums(aside)
        _sync(aside)
        _move_over(aside, path)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if _is_storage_error(error):
            raise ConfigError(f"cannot write {path}: {error}; nothing was written", file=str(path)) from error
        raise
    return path


def remove_leftovers(folder: str | Path) -> None:
    """Removes what `publish_folder` could not remove itself, because it was killed while it wrote into `folder`.

    A half-written folder goes when its writer is dead for sure: the process is gone from this machine, or, whoever it
    was, nothing in the folder has changed for an hour. A replaced one goes when its replacement is in place.
    """
    folder = Path(folder)
    for path in list(folder.iterdir()) if folder.is_dir() else []:
        if _is_leftover(path):
            shutil.rmtree(path, ignore_errors=True)


def verify_folder(path: str | Path, *, full: bool = False, error: type[FarmRayError] = ModelFolderError) -> None:
    """Checks a published folder against its checksums; a folder without `checksums.json` passes.

    Args:
        path: The folder.
        full: Compare contents (sha256), not only sizes.
        error: The error to raise; it names the first file that is missing or differs.
    """
    path = Path(path)
    listed = path / CHECKSUMS
    if not is_file(listed):
        return
    try:
        entries = parse_json(read_text(listed, JSON_BYTES))
    except ValueError:
        raise error(f"{listed} is damaged; copy the folder again", file=str(listed)) from None
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise error(f"{listed} is damaged; copy the folder again", file=str(listed))
    for name, (size, digest) in entries.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise error(f'{listed} names "{name}", which is outside of {path}; copy the folder again', file=str(listed))
        file = path / name
        if not file.is_file():
            raise error(f"{path} is incomplete: {name} is missing; copy the folder again", file=str(file))
        if file.stat().st_size != size or (full and _sha256(file) != digest):
            raise error(f"{path} is damaged: {name} differs from what was saved; copy the folder again", file=str(file))


def _is_entry(value: object) -> bool:
    """Whether it is a size in bytes and a sha256."""
    return isinstance(value, list) and [type(part) for part in value] == [int, str]


def _is_leftover(path: Path) -> bool:
    writing, replaced = _WRITING.fullmatch(path.name), _REPLACED.fullmatch(path.name)
    if writing is not None:
        return _is_gone(writing[1], int(writing[2])) or _is_untouched(path)
    return replaced is not None and path.with_name(replaced[1]).exists()


def _machine() -> str:
    """Where process ids mean the same, as eight digits: the host, and the container with processes of its own."""
    try:
        container = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        container = 0
    return hashlib.sha256(f"{socket.gethostname()} {container}".encode()).hexdigest()[:8]


def _is_gone(machine: str, process: int) -> bool:
    if machine != _machine():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def _is_untouched(folder: Path) -> bool:
    try:
        changed = max(entry.stat().st_mtime for entry in (folder, *folder.rglob("*")))
    except OSError:
        # It was renamed or removed meanwhile.
        return False
    return time.time() - changed > _SECONDS_UNTOUCHED


def _is_storage_error(error: BaseException) -> bool:
    # safetensors reports a full disk as its own error type.
    return isinstance(error, OSError) or type(error).__name__ == "SafetensorError"


def _write_checksums(folder: Path) -> None:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    entries = {file.relative_to(folder).as_posix(): [file.stat().st_size, _sha256(file)] for file in files}
    (folder / CHECKSUMS).write_text(json.dumps(entries, indent=1), encoding="utf-8")


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
    _sync_entries(folder)


def _sync_entries(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move_over(aside: Path, path: Path) -> None:
    replaced = path.parent / f".{path.name}.replaced-{uuid.uuid4().hex[:8]}"
    while not _moved(aside, path, replaced):
        shutil.rmtree(replaced, ignore_errors=True)
    _sync_entries(path.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def _moved(aside: Path, path: Path, replaced: Path) -> bool:
    """False where another process put its own folder at `path` between the two renames."""
    with contextlib.suppress(FileNotFoundError):
        path.rename(replaced)
    try:
        aside.rename(path)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        if replaced.exists():
            replaced.rename(path)
        raise
    return True

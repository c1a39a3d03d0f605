"""Atomic folders: written aside, checksummed, renamed; verified when read."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.foreign import JSON_BYTES, is_file, parse_json, read_text
from farm_ray.leftovers import aside_name, remove_leftovers, replaced_name
from farm_ray.storage.addresses import local_path
from farm_ray.storage.scratch import is_scratch
from farm_ray.storage.writing import check_lasting, missing_folders, remove_empty

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKSUMS = "checksums.json"
_BLOCK = 1 << 20
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
_OF_TORCH = ("PytorchStreamWriter", "inline_container")
"""In the errors of `torch.save`."""
_ALMOST_NOTHING = 1 << 20
"""Bytes that are left where a write has just failed for want of room; what was buffered did not get there."""


def publish_folder(path: str | Path, write: Callable[[Path], object], *, overwrite: bool = True) -> Path:
    """Lets `write` fill a folder beside `path`, then moves it to `path` in one step.

    Whatever happens inside `write`, `path` holds either what it held before or everything that was written,
    together with `checksums.json` (size in bytes and sha256 per file). Several processes may publish the same `path`
    at once: the last one stays. Only a kill between the two renames of a replacement leaves `path` missing. What an
    earlier writer of `path` left when it was killed is removed.

    Raises:
        ConfigError: When the disk is full, or the place is a file or not writable; nothing is left behind.
    """
    check_lasting(path)
    path = local_path(path)
    # What a link leads to is replaced, which may lie on another disk, and not the link.
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_dir():
        raise ConfigError(
            f"cannot write {path}: it is a file; give another folder", code="not-a-folder", file=str(path)
        )
    if target.exists() and not overwrite:
        raise ConfigError(
            f"{path} exists already; give another folder or remove it", code="already-exists", file=str(path)
        )
    aside = target.parent / aside_name(target.name)
    made = missing_folders(target)
    try:
        remove_leftovers(target.parent, target.name)
        aside.mkdir(parents=True)
        write(aside)
        _write_checksums(aside)
        _sync(aside)
        _move_over(aside, target)
    except BaseException as error:
        reason = _storage_reason(error, target.parent)
        shutil.rmtree(aside, ignore_errors=True)
        remove_empty(made)
        if reason is None:
            raise
        hint = "; set TMPDIR to a folder with more room" if is_scratch(path) else ""
        raise ConfigError(
            f"cannot write {path}: {reason}; nothing was written{hint}", code="cannot-write", file=str(path)
        ) from error
    return path


def verify_folder(
    path: str | Path,
    *,
    full: bool = False,
    all_of: tuple[str, ...] = (),
) -> None:
    """Checks a published folder against its checksums; a folder without `checksums.json` passes.

    Args:
        path: The folder.
        full: Compare contents (sha256), not only sizes.
        all_of: Suffixes of files that must have a check sum, when they lie right in the folder.

    Raises:
        ModelFolderError: Names the first file that is missing or differs.
    """
    path = local_path(path)
    listed = path / CHECKSUMS
    if not is_file(listed):
        return
    try:
        entries = parse_json(read_text(listed, JSON_BYTES))
    except ValueError:
        raise _damaged(listed, f"{listed} is damaged", code="damaged-folder") from None
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise _damaged(listed, f"{listed} is damaged", code="damaged-folder")
    for file in path.iterdir() if all_of else ():
        if file.name.endswith(all_of) and file.name not in {*entries, CHECKSUMS} and not file.name.startswith("."):
            raise _damaged(listed, f"{listed} is damaged: it has no sum of {file.name}", code="damaged-folder")
    for name, (size, digest) in entries.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise _damaged(listed, f'{listed} names "{name}", which is outside of {path}', code="damaged-folder")
        file = path / name
        if not file.is_file():
            raise _damaged(file, f"{path} is incomplete: {name} is missing", code="incomplete-folder")
        if file.stat().st_size != size or (full and _sha256(file) != digest):
            raise _damaged(file, f"{path} is damaged: {name} differs from what was saved", code="damaged-folder")


def _damaged(file: Path, told: str, *, code: str) -> ModelFolderError:
    return ModelFolderError(f"{told}; copy the folder again", code=code, file=str(file))


def _is_entry(value: object) -> bool:
    """Whether it is a size in bytes and a sha256."""
    return isinstance(value, list) and [type(part) for part in value] == [int, str]


def _storage_reason(error: BaseException, folder: Path) -> str | None:
    """Why a disk did not take what was written to it; None for an error of another kind.

    safetensors, tokenizers and torch have errors of their own for that, and torch's does not say what it is.
    """
    if isinstance(error, OSError):
        return error.strerror or str(error)
    text = str(error)
    if sign := next((sign for sign in _FULL if sign in text), None):
        return sign
    if isinstance(error, RuntimeError) and any(sign in text for sign in _OF_TORCH):
        with contextlib.suppress(OSError):
            if os.statvfs(folder).f_bavail * os.statvfs(folder).f_bsize < _ALMOST_NOTHING:
                return _FULL[0]
        return "torch could not write its file"
    return text if type(error).__name__ == "SafetensorError" else None


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
    replaced = path.parent / replaced_name(path.name)
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

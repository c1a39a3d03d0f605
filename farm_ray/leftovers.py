"""Files and folders that are not whole yet have names of their own, which say who writes them.

So what a killed writer left is known from what a living one still writes, and the next one who writes there removes it.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from pathlib import Path

from farm_ray.process_identity import is_gone, machine

_SECONDS_UNTOUCHED = 3600
"""A writer changes some file in its folder far more often; longer than two machines' clocks differ."""
_LONGEST_NAME = 200
"""Bytes of a name that are kept; file systems take 255 in all."""
_WRITING = re.compile(r"\.(.+)\.writing-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}")
_REPLACED = re.compile(r"\.(.+)\.replaced-[0-9a-f]{8}")


def aside_name(name: str) -> str:
    """A new hidden name for what becomes `name` when it is whole."""
    return f".{_shortened(name)}.writing-{machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def replaced_name(name: str) -> str:
    """A new hidden name for what was `name` until its replacement is in place."""
    return f".{_shortened(name)}.replaced-{uuid.uuid4().hex[:8]}"


def remove_leftovers(folder: str | Path, name: str | None = None) -> None:
    """Removes what writers into `folder` left when they were killed.

    What is half-written goes when its writer is dead for sure: the process is gone from this machine, or, whoever it
    was, nothing has changed for an hour. What was replaced goes when its replacement is in place.

    Args:
        folder: A local folder, or one that is missing.
        name: Of the file or folder that was to be written; None for all of them.
    """
    folder = Path(folder)
    for path in list(folder.iterdir()) if folder.is_dir() else []:
        if _is_leftover(path, None if name is None else _shortened(name)):
            _remove(path)


def _shortened(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_LONGEST_NAME])


def _is_leftover(path: Path, name: str | None) -> bool:
    if (writing := _WRITING.fullmatch(path.name)) is not None:
        return name in {None, writing[1]} and (is_gone(writing[2], int(writing[3])) or _is_untouched(path))
    replaced = _REPLACED.fullmatch(path.name)
    return replaced is not None and name in {None, replaced[1]} and path.with_name(replaced[1]).exists()


def _is_untouched(path: Path) -> bool:
    try:
        changed = max(entry.stat().st_mtime for entry in (path, *path.rglob("*")))
    except OSError:
        # It was renamed or removed meanwhile.
        return False
    return time.time() - changed > _SECONDS_UNTOUCHED


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # Another one's; it hinders nobody.
        return

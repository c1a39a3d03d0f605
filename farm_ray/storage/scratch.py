"""Room for what is on its way: folders and files of this process in TMPDIR, gone with their block or the process."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from farm_ray.errors import ConfigError
from farm_ray.leftovers import aside_name, remove_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_PREFIX = "farm_ray-"


@contextlib.contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """An empty folder that nobody else reads, while the block lasts; those that killed processes left are removed.

    Args:
        purpose: A word for its name.

    Raises:
        ConfigError: When there is no room for it; names TMPDIR.
    """
    with room():
        root = _folder()
        remove_leftovers(root, _PREFIX + purpose)
        path = root / aside_name(_PREFIX + purpose)
        path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def scratch_file() -> BinaryIO:
    """A file to write and read without a name, which no kill can leave behind.

    Raises:
        ConfigError: When there is no room for it, now or while it is written; names TMPDIR.
    """
    with room():
        file = tempfile.TemporaryFile(dir=_folder())  # noqa: SIM115 - the caller closes it
        return cast("BinaryIO", _ScratchFile(cast("BinaryIO", file)))


@contextlib.contextmanager
def room() -> Iterator[None]:
    """A full disk below the block is that of TMPDIR, and is told so."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise no_room(error) from None


def no_room(error: OSError) -> ConfigError:
    """The error for temporary files that did not fit."""
    folder = _folder()
    return ConfigError(
        f"cannot write temporary files in {folder}: {error.strerror}; set TMPDIR to a folder with more room",
        code="no-temporary-room",
        file=str(folder),
    )


def is_scratch(path: Path) -> bool:
    """Whether it lies in a `scratch_folder`."""
    return any(parent.name.startswith(f".{_PREFIX}") for parent in path.parents)


def _folder() -> Path:
    """Where temporary files go: TMPDIR, or what Python takes in its place."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        # It found no folder that it could write to.
        raise ConfigError(
            "cannot write temporary files anywhere; set TMPDIR to a folder with room for them", code="no-temporary-room"
        ) from None


class _ScratchFile:
    """A file whose full disk is told as TMPDIR's."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        with room():
            return self._file.write(data)

    def flush(self) -> None:
        with room():
            self._file.flush()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with room():
            return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readinto(self, buffer: bytearray) -> int:
        return int(self._file.readinto(buffer))  # type: ignore[attr-defined]

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    @property
    def closed(self) -> bool:
        return self._file.closed

    def close(self) -> None:
        # What did not fit stays in the buffer, and would not fit now either.
        with contextlib.suppress(OSError):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

"""Folders of files, local or under an s3:// prefix: which there are, copied there and back, removed."""

from __future__ import annotations

import functools
import shutil
from typing import TYPE_CHECKING

from pyarrow import fs

from farm_ray.errors import DataProblemError
from farm_ray.storage.addresses import join, redacted, scheme
from farm_ray.storage.listing import file_names
from farm_ray.storage.patience import insist
from farm_ray.storage.scratch import room
from farm_ray.storage.systems import explained, locate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_BLOCK = 8 << 20


def is_local(uri: str) -> bool:
    """Whether it is a path on a disk of this machine."""
    return scheme(uri) in {"", "file"}


def folder_names(uri: str) -> list[str]:
    """The names of the folders right below `uri`, in no order; none where nothing is.

    Raises:
        DataProblemError: When the place cannot be looked at, after two minutes of trying.
    """
    return insist(lambda: _folder_names(uri))


def upload_folder(folder: Path, uri: str, *, last: Sequence[str] = ()) -> None:
    """Copies the files right in a local folder to `uri`, those named `last` after all others.

    A file that fails in a way that may pass is sent again, for two minutes without any success.

    Raises:
        ConfigError: When a file cannot be written.
    """
    names = sorted((path.name for path in folder.iterdir() if path.is_file()), key=lambda name: (name in last, name))
    for name in names:
        insist(functools.partial(_upload, folder / name, join(uri, name)))


def download_folder(uri: str, folder: Path) -> None:
    """Copies the files right below `uri` to a `scratch_folder`; retries as `upload_folder`.

    Raises:
        ConfigError: When they do not fit.
        DataProblemError: When there is no file, or one cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = insist(lambda: file_names(uri))
    if not names:
        raise DataProblemError(
            f"cannot read {redacted(uri)}: there are no files", code="no-files-there", file=redacted(uri)
        )
    for name in names:
        insist(functools.partial(_download, join(uri, name), folder / name))


def remove_folder(uri: str, *, first: Sequence[str] = ()) -> None:
    """Removes a folder with all that is in it, the files named `first` before the others; retries as `upload_folder`.

    Raises:
        ConfigError: When it cannot be removed.
    """
    insist(lambda: _remove(uri, first))


def _folder_names(uri: str) -> list[str]:
    with explained(uri):
        system, inside = locate(uri)
        found = system.get_file_info(fs.FileSelector(inside, allow_not_found=True))
    return [info.base_name for info in found if info.type == fs.FileType.Directory]


def _upload(file: Path, uri: str) -> None:
    with explained(uri, "write"):
        system, inside = locate(uri)
        with file.open("rb") as source, system.open_output_stream(inside, compression=None) as target:
            shutil.copyfileobj(source, target, _BLOCK)


def _download(uri: str, file: Path) -> None:
    with explained(uri), room():
        system, inside = locate(uri)
        with system.open_input_stream(inside, compression=None) as source, file.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
        size = system.get_file_info(inside).size
    if file.stat().st_size != size:
        name = redacted(uri)
        raise DataProblemError(
            f"cannot read {name}: it broke off before its end", code="broken-off", file=name, transient=True
        )


def _remove(uri: str, first: Sequence[str]) -> None:
    with explained(uri, "remove"):
        system, inside = locate(uri)
        for name in first:
            if system.get_file_info(join(inside, name)).type != fs.FileType.NotFound:
                system.delete_file(join(inside, name))
        if system.get_file_info(inside).type != fs.FileType.NotFound:
            system.delete_dir(inside)

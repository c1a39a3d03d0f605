"""Archives from the web: fetched, checked, and unpacked into a folder that is there whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from farm_ray import storage
from farm_ray.errors import DataProblemError
from farm_ray.leftovers import aside_name
from farm_ray.storage.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_BLOCK = 1 << 20
_TAR = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")


def http_get(url: str, temp_file: BinaryIO, proxies: Mapping[str, str] | None = None) -> None:
    """Copies what is behind a web address to an open file.

    Raises:
        DataProblemError: When the server cannot be reached or refuses.
    """
    with storage.open_binary(url, proxies=proxies, decompress=False) as source:
        shutil.copyfileobj(source, temp_file, _BLOCK)


def fetch_archive_from_http(
    url: str, output_dir: str | Path, proxies: Mapping[str, str] | None = None, *, md5: str | None = None
) -> bool:
    """Fetches an archive (.zip, .tar.gz and the like) and unpacks it into a folder.

    It is unpacked beside the folder, which is put in its place at the end: no half of it is ever there.

    Args:
        url: Web address.
        output_dir: The folder.
        proxies: Scheme to proxy address.
        md5: What the archive must have; None takes any.

    Returns:
        False where the folder holds something already; then nothing is fetched.

    Raises:
        DataProblemError: When the archive cannot be read, has another checksum, or holds names that lead out of the
            folder, links or devices.
    """
    folder = storage.local_path(output_dir)
    if folder.is_dir() and any(folder.iterdir()):
        logger.info("%s is there already; %s is not fetched", folder, storage.redacted(url))
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder("fetch") as scratch:
        archive = scratch / "archive"
        with archive.open("wb") as file:
            http_get(url, file, proxies)
        _check_md5(archive, md5, url)
        aside = folder.parent / aside_name(folder.name)
        try:
            aside.mkdir()
            _unpack(archive, aside, url)
            if folder.is_dir():
                folder.rmdir()
            aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return True


def _check_md5(archive: Path, expected: str | None, url: str) -> None:
    if expected is None:
        return
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != expected:
        raise DataProblemError(
            f"{storage.redacted(url)} has the MD5 checksum {found}, not {expected}: it was damaged on its way, or is "
            "another file; fetch it again",
            code="checksum-differs",
            file=storage.redacted(url),
            value=found,
        )


def _unpack(archive: Path, folder: Path, url: str) -> None:
    path = url.partition("?")[0].lower()
    try:
        if path.endswith(".zip"):
            _unpack_zip(archive, folder, url)
        elif path.endswith(_TAR):
            with tarfile.open(archive) as tar:
                # Refuses names that lead out of the folder, links out of it, and devices.
                tar.extractall(folder, filter="data")
        else:
            raise _unreadable(url, f"it ends in none of .zip, {', '.join(_TAR)}")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise _unreadable(url, str(error)) from None


def _unpack_zip(archive: Path, folder: Path, url: str) -> None:
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            parts = PurePosixPath(name.replace("\\", "/"))
            if parts.is_absolute() or ".." in parts.parts or ":" in name:
                raise _unreadable(url, f'the name "{name[:200]}" leads out of the folder')
        packed.extractall(folder)  # noqa: S202 - the names were looked at


def _unreadable(url: str, reason: str) -> DataProblemError:
    name = storage.redacted(url)
    return DataProblemError(f"cannot unpack {name}: {reason}", code="archive-unreadable", file=name)

"""FARM's cache of files from elsewhere: where it lies, and how addresses are named there."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from farm_ray import storage
from farm_ray.credentials import split_s3
from farm_ray.errors import DataProblemError

torch_cache_home = Path(
    os.getenv("TORCH_HOME") or Path(os.getenv("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
)
default_cache_path = torch_cache_home / "farm"
FARM_CACHE = Path(os.getenv("FARM_CACHE") or default_cache_path)
"""The folder of the cache; the variable FARM_CACHE names another one."""


def url_to_filename(url: str, etag: str | None = None) -> str:
    """The name of an address in the cache: its sha256, and that of the version that the server told, if it did."""
    name = hashlib.sha256(url.encode()).hexdigest()
    return name if etag is None else f"{name}.{hashlib.sha256(etag.encode()).hexdigest()}"


def filename_to_url(filename: str, cache_dir: str | Path | None = None) -> tuple[str, str | None]:
    """The address and version of a file in the cache, from the `.json` beside it.

    Raises:
        FileNotFoundError: When one of the two is missing.
    """
    file = Path(cache_dir or FARM_CACHE) / filename
    described = file.with_name(f"{file.name}.json")
    for needed in (file, described):
        if not needed.exists():
            raise FileNotFoundError(f"there is no {needed}")
    values = json.loads(described.read_text(encoding="utf-8"))
    return values["url"], values["etag"]


def split_s3_path(url: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address.

    Raises:
        ValueError: When one of them is missing.
    """
    parts = split_s3(url)
    if not url.startswith("s3://") or not parts.bucket or not parts.key:
        raise ValueError(f"{storage.redacted(url)} is no address such as s3://bucket/key")
    return parts.bucket, parts.key


def download_from_s3(
    s3_url: str,
    cache_dir: str | Path | None = None,
    access_key: str | None = None,
    secret_access_key: str | None = None,
    region_name: str | None = None,
) -> str:
    """Copies the files right below an s3:// prefix into the cache, and gives their folder.

    Args:
        s3_url: The prefix.
        cache_dir: The cache; None is `FARM_CACHE`.
        access_key: None takes the environment's (AWS_ACCESS_KEY_ID and the like), as does the secret key.
        secret_access_key: The secret key.
        region_name: The bucket's region.

    Raises:
        DataProblemError: When there is no file, or one cannot be read.
    """
    parts = split_s3(s3_url)
    if access_key and secret_access_key:
        parts = parts._replace(account=f"{access_key}:{secret_access_key}")
    if region_name:
        parts = parts._replace(query="&".join(filter(None, (parts.query, f"region={region_name}"))))
    folder = Path(cache_dir or FARM_CACHE) / url_to_filename(s3_url)
    storage.download_folder(parts.address(), folder)
    return str(folder)


def load_from_cache(name: str, s3_dict: dict[str, str], cache_dir: str | Path | None = None) -> str:
    """The folder of a name: that of the address which `s3_dict` gives it, fetched where it is not there yet.

    Raises:
        DataProblemError: For a name that is neither there nor a folder.
    """
    if name in s3_dict:
        folder = Path(cache_dir or FARM_CACHE) / url_to_filename(s3_dict[name])
        return str(folder) if folder.is_dir() else download_from_s3(s3_dict[name], cache_dir)
    if not Path(name).is_dir():
        raise DataProblemError(
            f'"{name}" is no folder, and none of {", ".join(s3_dict)}', code="not-in-cache", value=name
        )
    return name


def read_set_from_file(filename: str | Path) -> set[str]:
    """The lines of a text file without their ends, each once."""
    return set(storage.local_path(filename).read_text(encoding="utf-8").splitlines())


def get_file_extension(path: str, dot: bool = True, lower: bool = True) -> str:
    """What stands behind the last dot of a name: `.gz` of `a.TAR.GZ`."""
    suffix = os.path.splitext(path)[1]  # noqa: PTH122 - a name, also of an address
    suffix = suffix if dot else suffix[1:]
    return suffix.lower() if lower else suffix

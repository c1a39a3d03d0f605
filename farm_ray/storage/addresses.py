"""Names of files: their scheme, last part and suffix, and the form in which a message may show them."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from farm_ray.credentials import split_s3, without_account

DATA_SUFFIXES = (".tsv", ".csv", ".txt", ".json", ".jsonl", ".parquet")
"""Suffixes of data files; each may carry a compression suffix too."""

COMPRESSION = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""Compression suffixes and Arrow's names for them."""

WEB = ("http", "https")


def scheme(uri: str | Path) -> str:
    """`s3` for `s3://...`, "" for a local path."""
    name, sign, _ = str(uri).partition("://")
    return name.lower() if sign and name.isalnum() else ""


def local_path(place: str | Path) -> Path:
    """The path of a file or folder on a disk, `file://` taken off and `~` replaced by the home folder.

    A name that begins with a `~` and names no user stays as it is, as in a shell; so does an address of another kind.
    """
    text = str(place)
    if scheme(text) == "file":
        return Path(unquote(text.partition("://")[2].removeprefix("localhost")))
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own refuses unknown users


def redacted(uri: str | Path) -> str:
    """The address for a message: no user, password, query or fragment; a local path stays as it is."""
    text = str(uri)
    if scheme(text) in ("", "file"):
        return text
    if scheme(text) == "s3":
        place = split_s3(without_account(text))
        return f"s3://{place.bucket}/{place.key}".rstrip("/") if place.key else f"s3://{place.bucket}"
    parts = urlsplit(without_account(text))
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def file_name(uri: str | Path) -> str:
    """The last part of the path: `train.tsv.gz` for `s3://bucket/set/train.tsv.gz?region=eu-west-1`."""
    return redacted(uri).rstrip("/").rpartition("/")[2]


def data_suffix(uri: str | Path) -> str:
    """The suffix in lower case, a compression suffix taken off first: `.tsv` for `TRAIN.TSV.gz`; "" for none."""
    name = Path(file_name(uri).lower())
    return name.with_suffix("").suffix if name.suffix in COMPRESSION else name.suffix


def codec(uri: str | Path) -> str | None:
    """Arrow's name of the compression that the suffix says, None for none."""
    return COMPRESSION.get(Path(file_name(uri).lower()).suffix)


def join(base: str | Path | None, name: str | Path) -> str:
    """`name` inside `base`; `name` itself where it is an absolute path or an address, or where `base` is None."""
    folder, inside = str(base or ""), str(name)
    if not folder or scheme(inside) or local_path(inside).is_absolute():
        return inside
    if not scheme(folder):
        return str(Path(folder) / inside)
    if scheme(folder) == "s3":
        place = split_s3(folder)
        return place._replace(key=f"{place.key.rstrip('/')}/{inside}".lstrip("/")).address()
    if scheme(folder) == "file":
        # A plain name below an address, in which a % begins the number of a sign.
        return f"{folder.rstrip('/')}/{inside.replace('%', '%25')}"
    parts = urlsplit(folder)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{inside}").geturl()

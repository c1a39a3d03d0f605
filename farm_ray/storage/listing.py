"""Which files a path means: a file, a folder, a pattern."""

from __future__ import annotations

import fnmatch
import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pyarrow import fs

from farm_ray.errors import DataProblemError
from farm_ray.storage.addresses import COMPRESSION, DATA_SUFFIXES, WEB, data_suffix, file_name, redacted, scheme
from farm_ray.storage.systems import check_regular, explained, files_in, locate, missing, rebuild
from farm_ray.storage.web import open_web

if TYPE_CHECKING:
    from collections.abc import Sequence

_WILDCARD = re.compile(r"[*?\[]")
_PART = re.compile(rf"part[-_][\w-]*\d[\w-]*({'|'.join(map(re.escape, COMPRESSION))})?", re.ASCII)
_GONE = (404, 410)


def list_files(path: str | Path, *, suffixes: Sequence[str] | None = None) -> list[str]:
    """The files that a path means, sorted by name; local ones without `file://`.

    Args:
        path: A file, a folder (its data files, or where there are none its parts such as `part_1` and `part-00000.gz`;
            without sub-folders and hidden files), a pattern with `*`, `?`, `[...]`
            or `**`, local or on s3://; a web address stands for itself.
        suffixes: Keep files of a folder or pattern with these suffixes (compression aside); None keeps
            `DATA_SUFFIXES` in a folder, and all that a pattern names.

    Raises:
        DataProblemError: When nothing is there; names the nearest files.
        ConfigError: For a kind of address that is not known.
    """
    uri = str(path)
    if scheme(uri) in WEB:
        return [uri]
    system, inside = locate(uri)
    with explained(uri):
        kind = system.get_file_info(inside).type
        if kind == fs.FileType.Directory:
            found, wanted = files_in(system, inside), tuple(suffixes or DATA_SUFFIXES)
        elif kind != fs.FileType.NotFound:
            if isinstance(system, fs.LocalFileSystem):
                check_regular(uri, inside)
            return [rebuild(uri, inside)]
        elif _WILDCARD.search(inside):
            found, wanted = _matches(system, inside), tuple(suffixes or ())
        else:
            raise missing(uri, system, inside)
    kept = sorted(file for file in found if not wanted or data_suffix(file) in wanted)
    if not kept and kind == fs.FileType.Directory and not suffixes:
        kept = sorted(file for file in found if _PART.fullmatch(file_name(file)))
    if not kept:
        kinds = f" ({', '.join(wanted)})" if wanted else ""
        raise DataProblemError(
            f"cannot read {redacted(uri)}: it holds no data files{kinds}", code="no-files-there", file=redacted(uri)
        )
    return [rebuild(uri, file) for file in kept]


def file_names(folder: str | Path) -> list[str]:
    """The names of the files right in a folder, hidden ones too, sorted; none where there is no such folder.

    Raises:
        DataProblemError: When that cannot be found out.
    """
    text = str(folder)
    system, inside = locate(text)
    with explained(text):
        found = system.get_file_info(fs.FileSelector(inside, allow_not_found=True))
    return sorted(info.base_name for info in found if info.type == fs.FileType.File)


def exists(uri: str | Path) -> bool:
    """True where a file or folder is there.

    Raises:
        DataProblemError: When that cannot be found out: no answer, no permission.
    """
    text = str(uri)
    if scheme(text) not in WEB:
        system, inside = locate(text)
        with explained(text):
            return bool(system.get_file_info(inside).type != fs.FileType.NotFound)
    try:
        open_web(text).close()
    except DataProblemError as error:
        if error.facts.get("status") in _GONE:
            return False
        raise
    return True


def size(uri: str | Path) -> int | None:
    """Bytes of a file as it lies there, compressed or not; None on the web, where it is not known beforehand."""
    text = str(uri)
    if scheme(text) in WEB:
        return None
    system, inside = locate(text)
    with explained(text):
        found: int | None = system.get_file_info(inside).size
    return found


def _matches(system: fs.FileSystem, pattern: str) -> list[str]:
    if isinstance(system, fs.LocalFileSystem):
        return [path for path in glob.glob(pattern, recursive=True) if Path(path).is_file()]  # noqa: PTH207 - keeps "./"
    wildcard = _WILDCARD.search(pattern)
    folder = pattern[: wildcard.start() if wildcard else 0].rpartition("/")[0]
    wanted = pattern[len(folder) + 1 :].split("/")
    found = system.get_file_info(fs.FileSelector(folder, recursive=len(wanted) > 1, allow_not_found=True))
    files = [info.path for info in found if info.type == fs.FileType.File and not info.base_name.startswith(".")]
    return [path for path in files if _fits(path[len(folder) + 1 :].split("/"), wanted)]


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted or not parts:
        return not wanted and not parts
    if wanted[0] == "**":
        return _fits(parts, wanted[1:]) or _fits(parts[1:], wanted)
    return fnmatch.fnmatchcase(parts[0], wanted[0]) and _fits(parts[1:], wanted[1:])

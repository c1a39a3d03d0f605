"""Which files a processor's sets are read from, all found before the first one is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray import storage
from farm_ray.data_handler.file_to_dicts.tables import row_names
from farm_ray.data_handler.processor.arguments import defaults_of
from farm_ray.storage.addresses import WEB, scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from farm_ray.data_handler.file_to_dicts.ranges import FileRange
    from farm_ray.data_handler.processor import Processor


def input_path(processor: Processor, set_name: str) -> str | None:
    """The file, folder, pattern or address that the processor names for train, dev or test; None where none is meant.

    FARM's processors name a test file unasked; a data set without one is no mistake then.
    """
    filename = getattr(processor, f"{set_name}_filename")
    if not filename:
        return None
    path = _place(processor.data_dir, filename)
    if set_name == "test" and _is_default_name(processor, filename) and not storage.exists(path):
        return None
    return path


def input_files(processor: Processor, set_names: Iterable[str]) -> dict[str, list[str]]:
    """The files of each set; sets that no file is named for are left out.

    Raises:
        DataProblemError: When there are none where a set should be.
    """
    paths = {name: input_path(processor, name) for name in set_names}
    files = {name: storage.list_files(path) for name, path in paths.items() if path is not None}
    for file in (file for found in files.values() for file in found if scheme(file) in WEB):
        storage.open_binary(file, decompress=False).close()
    return files


def named_ranges(processor: Processor, files: Sequence[str], window_bytes: int) -> list[FileRange]:
    """The ranges of these files in their order, with what their ids begin with, and each file lends to the one before.

    Args:
        processor: Knows how files can be cut.
        files: Files that are not empty.
        window_bytes: As for `Processor.stream_ranges`.
    """
    processor.look_at_files(files)
    names = dict(zip(files, row_names(files), strict=True))
    lenders = dict(zip(files, [*files[1:], *files[:1]], strict=True)) if len(files) > 1 else {}
    return [
        replace(one, name=names[file], lender=lenders.get(file))
        for file in files
        for one in processor.stream_ranges(file, window_bytes)
    ]


def _place(data_dir: str | Path | None, filename: str | Path) -> str:
    """The file inside the folder; a `Path` that is there, where nothing is inside the folder, is taken as it is."""
    inside = storage.join(str(data_dir or ""), str(filename))
    if isinstance(filename, Path) and not storage.exists(inside) and storage.exists(filename):
        return str(filename)
    return inside


def _is_default_name(processor: Processor, test_filename: str) -> bool:
    return defaults_of(type(processor)).get("test_filename") == test_filename

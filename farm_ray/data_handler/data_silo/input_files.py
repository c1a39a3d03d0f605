"""Which files a processor's sets are read from, all found before the first one is read."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray import storage
from farm_ray.data_handler.file_to_dicts.survey import numbered
from farm_ray.data_handler.file_to_dicts.tables import row_names
from farm_ray.data_handler.processor.arguments import defaults_of
from farm_ray.storage.addresses import WEB, scheme
from farm_ray.storage.patience import insist

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.file_to_dicts.survey import Survey
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


def planned_splits(
    processor: Processor, files: Sequence[str], target_bytes: int, *, lines_wanted: bool = True, on_ray: bool = False
) -> list[Split]:
    """The splits of these files in their order, with what their ids begin with; each file lends to the one before.

    Where rows depend on what stands before a split, or are to be named by their line, all splits of the files that were
    cut are looked at once, in parallel where `on_ray`.

    Args:
        processor: Knows how files can be cut.
        files: Files that are not empty.
        target_bytes: As for `Processor.splits`.
        lines_wanted: As for `Processor.survey`.
        on_ray: Whether Ray, which must be connected, does the looking.
    """
    processor.look_at_files(files)
    of_file = {file: insist(functools.partial(processor.splits, file, target_bytes)) for file in files}
    cut = [split for splits in of_file.values() if len(splits) > 1 for split in splits]
    surveys = _surveys(processor, cut, lines_wanted=lines_wanted, on_ray=on_ray)
    for file, found in itertools.groupby(zip(cut, surveys, strict=True), key=lambda one: one[0].file):
        known = [survey for _, survey in found if survey is not None]
        of_file[file] = numbered(known) if known else of_file[file]
    names = dict(zip(files, row_names(files), strict=True))
    donors = dict(zip(files, [*files[1:], *files[:1]], strict=True)) if len(files) > 1 else {}
    return [replace(split, name=names[file], donor=donors.get(file)) for file in files for split in of_file[file]]


def _surveys(processor: Processor, splits: Sequence[Split], *, lines_wanted: bool, on_ray: bool) -> list[Survey | None]:
    if not on_ray:
        return [_survey(processor, split, lines_wanted=lines_wanted) for split in splits]
    from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
    from farm_ray.data_handler.data_silo.executor import map_on_ray

    survey = functools.partial(_survey_there, BroadcastProcessor(processor), lines_wanted)
    return map_on_ray(survey, splits, files=[split.file for split in splits])


def _survey_there(broadcast: BroadcastProcessor, lines_wanted: bool, split: Split) -> Survey | None:
    return _survey(broadcast.processor(), split, lines_wanted=lines_wanted)


def _survey(processor: Processor, split: Split, *, lines_wanted: bool) -> Survey | None:
    """Tried again after errors of a store that may pass."""
    return insist(functools.partial(processor.survey, split, lines_wanted=lines_wanted))


def _place(data_dir: str | Path | None, filename: str | Path) -> str:
    """The file inside the folder; a `Path` that is there, where nothing is inside the folder, is taken as it is."""
    inside = storage.join(str(data_dir or ""), str(filename))
    if isinstance(filename, Path) and not storage.exists(inside) and storage.exists(filename):
        return str(filename)
    return inside


def _is_default_name(processor: Processor, test_filename: str) -> bool:
    return defaults_of(type(processor)).get("test_filename") == test_filename

"""One split, read from a store that may fail for a while, change, or hold damaged files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray import storage
from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.table_file import STAGE
from farm_ray.data_handler.problems import Problem
from farm_ray.errors import DataProblemError
from farm_ray.storage.patience import patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.processor import Processor

KIND = "unreadable range"


def windows_of(processor: Processor, split: Split, *, keep_going: bool = False) -> Iterator[pa.Table]:
    """The rows of a split that are shuffled together: one table for a byte range, one or more for a whole file.

    Args:
        processor: Reads it.
        split: With a stamp its file must still be as it was.
        keep_going: As for `split_tables`.

    Raises:
        DataProblemError: As `split_tables`.
    """
    tables = split_tables(processor, split, keep_going=keep_going)
    if split.is_whole:
        yield from tables
        return
    if found := list(tables):
        yield found[0] if len(found) == 1 else pa.concat_tables(found, promote_options="default")


def split_tables(processor: Processor, split: Split, *, keep_going: bool = False) -> Iterator[pa.Table]:
    """Stage 1 of a split; after errors that may pass it is read again for some two minutes.

    Args:
        processor: Reads it.
        split: With a stamp its file must still be as it was.
        keep_going: A split that cannot be read to its end (a damaged file, or one that is gone) has one row with a
            problem in place of the rest.

    Raises:
        DataProblemError: When the split cannot be read; with `keep_going` only when its file has changed, access to it
            is denied, or the store failed for too long.
    """
    tables = patient(lambda: _tables(processor, split))
    if not keep_going:
        yield from tables
        return
    try:
        yield from tables
    except DataProblemError as error:
        if _ends_the_run(error):
            raise
        yield _in_place_of_the_rest(processor, split, error)


def _tables(processor: Processor, split: Split) -> Iterator[pa.Table]:
    _check_unchanged(split)
    try:
        yield from processor.read(split)
    except DataProblemError as error:
        if not error.facts.get("transient"):
            # A file that is replaced while it is read looks damaged.
            _check_unchanged(split)
        raise
    if split.is_whole:
        _check_unchanged(split)


def _check_unchanged(split: Split) -> None:
    if split.stamp is None or (found := storage.change_stamp(split.file)) == split.stamp:
        return
    name = storage.redacted(split.file)
    raise DataProblemError(
        f"{name} has changed since the run began (ETag or time of change and size were {split.stamp}, are {found}): "
        "start from scratch",
        code="file-changed",
        file=name,
        value=found,
    )


def _ends_the_run(error: DataProblemError) -> bool:
    """Whether other splits would not fare better, or the same split would another time."""
    facts = error.facts
    return error.code == "file-changed" or bool(facts.get("transient") or facts.get("status") in {401, 403})


def _in_place_of_the_rest(processor: Processor, split: Split, error: DataProblemError) -> pa.Table:
    name = storage.redacted(split.file)
    problem = Problem(stage=STAGE, kind=KIND, message=str(error), file=storage.file_name(split.file))
    return processor.named_dicts_to_table([{problems.COLUMN: asdict(problem)}], [f"{name}@{split.start}"])

"""One range of a streamed corpus, read from a store that may fail for a while, change, or hold damaged files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from farm_ray import storage
from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.table_file import STAGE
from farm_ray.data_handler.problems import Problem
from farm_ray.errors import DataProblemError
from farm_ray.storage.patience import patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.ranges import FileRange
    from farm_ray.data_handler.processor import Processor

KIND = "unreadable range"


def range_tables(processor: Processor, source: FileRange, *, keep_going: bool = False) -> Iterator[pa.Table]:
    """Arrow 1 of a range, a table per window; after errors that may pass it is read again for some two minutes.

    Args:
        processor: Reads it.
        source: The range; with a stamp its file must still be as it was.
        keep_going: A range that cannot be read to its end (a damaged file, or one that is gone) has one row with a
            problem in place of the rest.

    Raises:
        DataProblemError: When the range cannot be read; with `keep_going` only when its file has changed, access to it
            is denied, or the store failed for too long.
    """
    tables = patient(lambda: _tables(processor, source))
    if not keep_going:
        yield from tables
        return
    try:
        yield from tables
    except DataProblemError as error:
        if _ends_the_run(error):
            raise
        yield _in_place_of_the_rest(processor, source, error)


def _tables(processor: Processor, source: FileRange) -> Iterator[pa.Table]:
    _check_unchanged(source)
    try:
        yield from processor.read_stream(source)
    except DataProblemError as error:
        if not error.facts.get("transient"):
            # A file that is replaced while it is read looks damaged.
            _check_unchanged(source)
        raise
    if source.end is None:
        _check_unchanged(source)


def _check_unchanged(source: FileRange) -> None:
    if source.stamp is None or (found := storage.change_stamp(source.file)) == source.stamp:
        return
    name = storage.redacted(source.file)
    raise DataProblemError(
        f"{name} has changed since the run began (ETag or time of change and size were {source.stamp}, are {found}): "
        "start anew",
        file=name,
        value=found,
        changed=True,
    )


def _ends_the_run(error: DataProblemError) -> bool:
    """Whether other ranges would not fare better, or the same range would another time."""
    facts = error.facts
    return bool(facts.get("transient") or facts.get("changed") or facts.get("status") in {401, 403})


def _in_place_of_the_rest(processor: Processor, source: FileRange, error: DataProblemError) -> pa.Table:
    name = storage.redacted(source.file)
    problem = Problem(stage=STAGE, kind=KIND, message=str(error), file=storage.file_name(source.file))
    return processor.named_dicts_to_table([{problems.COLUMN: asdict(problem)}], [f"{name}@{source.start}"])

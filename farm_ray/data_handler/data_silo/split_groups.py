"""Splits of some files in groups that are read together, in tables whose borders follow from the files alone.

Small files are read together, a big one split by split. The rows of a group come in tables of a fixed number, so that
whoever resumes after some of them sees the same tables as whoever began at the start.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler.data_silo.executor import ReadTask
from farm_ray.data_handler.data_silo.split_reading import split_tables
from farm_ray.parts import START, Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from farm_ray.data_handler.data_silo.executor import Marked
    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.processor import Processor

GROUP_BYTES = 1 << 20
"""Files below this size are read together until they are as much: each task and each model call takes its time."""


@dataclass(frozen=True, slots=True)
class SplitGroup:
    """Splits that one task reads, one after the other."""

    first: int
    """Number of its first split."""
    splits: tuple[Split, ...]
    last_file: int
    """Number of its last file."""


@dataclass(frozen=True, kw_only=True)
class SplitRows:
    """The rows of some splits."""

    processor: Processor
    """Reads them."""
    splits: tuple[Split, ...]
    """Of one file after the other."""
    sizes: tuple[int | None, ...]
    """Bytes of each file; None where that is not known."""
    rows_per_table: int | None
    """None: tables as they are read."""

    @property
    def files(self) -> list[str]:
        """All files, in order."""
        return list(dict.fromkeys(split.file for split in self.splits))

    def tasks(self, after: Cursor = START, processor_there: Callable[[], Processor] | None = None) -> list[ReadTask]:
        """What is left to read after a cursor; the marks of tables are cursors.

        Args:
            after: Behind the rows that are done.
            processor_there: Gives the processor where the tasks run; None for this process.
        """
        processor_there = processor_there or functools.partial(in_this_process, self.processor)
        groups = itertools.dropwhile(lambda group: group.first < after.split, self.groups())
        return [
            ReadTask(
                group.splits[0].file,
                functools.partial(group_tables, processor_there, group, after, self.rows_per_table),
            )
            for group in groups
        ]

    def groups(self) -> Iterator[SplitGroup]:
        """The groups of all splits, in order."""
        sizes = dict(zip(self.files, self.sizes, strict=True))
        numbers = {file: number for number, file in enumerate(self.files)}
        held: list[Split] = []
        held_bytes = 0
        for number, split in enumerate(self.splits):
            size = sizes[split.file]
            alone = not split.is_whole or size is None or size >= GROUP_BYTES
            if held and (alone or held_bytes >= GROUP_BYTES):
                yield SplitGroup(number - len(held), tuple(held), numbers[held[-1].file])
                held, held_bytes = [], 0
            if alone:
                yield SplitGroup(number, (split,), numbers[split.file])
            else:
                held, held_bytes = [*held, split], held_bytes + (size or 0)
        if held:
            yield SplitGroup(len(self.splits) - len(held), tuple(held), numbers[held[-1].file])


def group_tables(
    processor_there: Callable[[], Processor], group: SplitGroup, after: Cursor, rows_per_table: int | None
) -> Marked:
    """The rows of a group that are not done at a cursor, each table with the cursor behind it.

    Args:
        processor_there: Gives the processor that reads.
        group: The group.
        after: In this group, or before it.
        rows_per_table: In every table but the last; None leaves the tables as they are read.
    """
    processor = processor_there()
    done = after.rows if group.first == after.split else 0
    read = itertools.chain.from_iterable(split_tables(processor, split) for split in group.splits)
    tables = _without_first(read, done)
    for table in tables if rows_per_table is None else _in_equal_tables(tables, rows_per_table):
        done += table.num_rows
        yield Cursor(group.first, done, group.last_file), table


def in_this_process(processor: Processor) -> Processor:
    """The processor itself, where a task asks for the one of the process that it runs in."""
    return processor


def _without_first(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    for table in tables:
        if table.num_rows > rows or not rows:
            yield table.slice(rows)
        rows = max(0, rows - table.num_rows)


def _in_equal_tables(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of so many, but for the last."""
    held: list[pa.Table] = []
    number = 0
    for table in tables:
        rest = table
        while number + rest.num_rows >= rows:
            yield _joined([*held, rest.slice(0, rows - number)])
            rest, held, number = rest.slice(rows - number), [], 0
        if rest.num_rows:
            held, number = [*held, rest], number + rest.num_rows
    if held:
        yield _joined(held)


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default").combine_chunks()

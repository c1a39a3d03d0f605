"""The features of files that are kept whole, in memory or in parts: all stages over their splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.data_handler.columns import joined
from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
from farm_ray.data_handler.data_silo.executor import blocks_on_ray, run_here, run_on_ray
from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.data_silo.split_groups import SplitRows
from farm_ray.data_handler.file_to_dicts.splits import SPLIT_BYTES
from farm_ray.parts import START, Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from farm_ray import storage
    from farm_ray.data_handler.processor import Processor

WINDOW_BYTES = 1 << 20
"""Of text that is shuffled or paired together: some seconds of training, about a second of work for a tokenizer."""


def split_rows_of(
    processor: Processor,
    files: Sequence[str],
    states: Sequence[storage.FileState],
    *,
    seed: int,
    rows_per_table: int,
    on_ray: bool,
) -> SplitRows:
    """The rows of files that are featurised once.

    Args:
        processor: Frozen.
        files: The files.
        states: Of these files.
        seed: For processors that draw.
        rows_per_table: Rows that are featurised at a time; not for processors whose rows follow from whole tables.
        on_ray: As for `planned_splits`.
    """
    of_tables = processor.rows_of_whole_tables
    splits = planned_splits(processor, files, WINDOW_BYTES if of_tables else SPLIT_BYTES, on_ray=on_ray)
    return SplitRows(
        processor=processor.for_pass(seed, 0),
        splits=tuple(splits),
        sizes=tuple(state.size for state in states),
        rows_per_table=None if of_tables else rows_per_table,
    )


def featurized(
    rows: SplitRows, after: Cursor = START, *, on_ray: bool, max_tasks: int
) -> Iterator[tuple[Cursor, pa.Table]]:
    """The features of the rows behind a cursor, a table for each that is read, with the cursor behind it.

    Raises:
        FarmRayError: What a stage raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    if on_ray:
        broadcast = BroadcastProcessor(rows.processor)
        tasks = rows.tasks(after, broadcast.processor)
        made = run_on_ray(tasks, broadcast.featurize, max_tasks=max_tasks)
    else:
        made = run_here(rows.tasks(after), rows.processor.featurize)
    return ((Cursor(*mark), table) for mark, table in made)


def feature_blocks(
    rows: SplitRows, *, max_tasks: int, note: Callable[[int], None]
) -> tuple[pa.Table, tuple[object, ...]]:
    """The features of all rows as one table over blocks of Ray's object store, and references to these.

    Args:
        rows: What is read.
        max_tasks: Most Ray tasks at once.
        note: Called with the number of rows so far.

    Raises:
        FarmRayError: As `featurized`.
    """
    import pyarrow as pa

    broadcast = BroadcastProcessor(rows.processor)
    blocks, done = [], 0
    for reference, table in blocks_on_ray(
        rows.tasks(START, broadcast.processor),
        broadcast.featurize,
        max_tasks=max_tasks,
        rows_at_once=rows.rows_per_table,
    ):
        blocks.append((reference, table))
        done += table.num_rows
        note(done)
    filled = [(reference, table) for reference, table in blocks if table.num_rows] or blocks[:1]
    if not filled:
        return pa.table({}), ()
    return joined([table for _, table in filled]), tuple(reference for reference, _ in filled)

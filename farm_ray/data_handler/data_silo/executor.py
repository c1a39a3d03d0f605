"""Runs tasks that read tables and transforms of these, in this process or on Ray Data: in order, some ahead.

Nothing else in the data flow runs anything on Ray. A task is a value that reads by itself: a few splits, one range of a
stream. Every table comes back with the mark that its task gave it.

On Ray there are two plans, and which one is taken follows from the sizes: where there are many tasks, each reads and
transforms in one go (fused); where a few read big splits, what they read goes on to tasks of its own, so that one file
keeps all cores busy (two stages). An endless sequence of tasks becomes a chain of short datasets, as Ray Data plans a
dataset as a whole: the first table comes after the same time for a small corpus and for a large one.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from farm_ray import cluster
from farm_ray.data_handler.data_silo.serialized import Mark, deserialized, map_serialized, serialized
from farm_ray.storage import is_local, redacted

if TYPE_CHECKING:
    import ray.data

Transform = Callable[[pa.Table], pa.Table]
Marked = Iterator[tuple[Mark, pa.Table]]

READ_CPUS = 0.2
"""Logical CPUs of a task that reads. Unlike the share of transforms, so that Ray does not fuse these by itself."""
TRANSFORM_CPUS = 0.25
"""Logical CPUs of a task that transforms. A fraction, so that data and training always fit beside each other."""

_FUSED_FROM = 8
"""Tasks per core from which on reading and transforming are fused: enough for all cores to end at about the same
time."""
_SMALL_BLOCK_BYTES = 64 << 10
"""Less than most tables, so that each of them is a block and on its way as soon as it is there."""
_BLOCK_BYTES = 1 << 20
"""Of text, about half a second of work for a tokenizer."""
_FIRST_TASKS = 16
_MOST_TASKS = 128
"""Of a dataset in a chain: few at the start, so that planning takes no time; later ones double."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ReadTask:
    """What one task reads; travels to it."""

    file: str
    """The first file: Ray shows it. Local ones are read on the machine of the process that asks."""
    read: Callable[[], Marked]


@dataclass(frozen=True, kw_only=True, slots=True)
class Actors:
    """A transform by a pool of processes that each hold something large, such as a model."""

    make: Callable[..., Transform]
    """Makes the transform in each process."""
    args: tuple[object, ...]
    """For `make`."""
    number: int
    cpus: float
    """Logical CPUs of each."""
    gpus: int | None = None
    """GPUs of each."""


def run_here(tasks: Iterable[ReadTask], transform: Transform | None = None) -> Marked:
    """The tables of these tasks, transformed, in this process."""
    for task in tasks:
        for mark, table in task.read():
            yield mark, table if transform is None else transform(table)


def run_on_ray(tasks: Sequence[ReadTask], transform: Transform | Actors, *, max_tasks: int) -> Marked:
    """As `run_here`, on Ray, which must be connected.

    Raises:
        FarmRayError: What a task raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    dataset = _dataset(tasks, transform, max_tasks=max_tasks, whole_tables=True)
    return (marked for _, block in _blocks(dataset) for marked in deserialized(block))


def blocks_on_ray(
    tasks: Sequence[ReadTask], transform: Transform, *, max_tasks: int, rows_at_once: int | None = None
) -> Iterator[tuple[object, pa.Table]]:
    """All rows of the transformed tables in order, in blocks as Ray makes them, with a reference to each.

    Where the borders of tables do not matter: the blocks lie in Ray's object store, and nothing is copied out of it.

    Args:
        tasks: What is read.
        transform: Gets some rows at a time.
        max_tasks: Most tasks at once.
        rows_at_once: Rows that the transform gets at most.

    Raises:
        FarmRayError: As `run_on_ray`.
    """
    return _blocks(_dataset(tasks, transform, max_tasks=max_tasks, whole_tables=False, rows_at_once=rows_at_once))


def chain_on_ray(tasks: Iterable[ReadTask], *, at_once: int, cpus: float) -> Marked:
    """The tables of a long or endless sequence of tasks, a few tasks ahead of who takes them.

    Args:
        tasks: Asked for when there is room for them.
        at_once: Tasks that run at a time.
        cpus: Logical CPUs of each.

    Raises:
        FarmRayError: As `run_on_ray`.
    """
    rest, size = iter(tasks), _FIRST_TASKS
    while some := list(itertools.islice(rest, size)):
        dataset = _source(some, cpus=cpus, at_once=at_once, whole_tables=True)
        # Ray would call it no progress when a long evaluation or a slow model wants no data; who waits for data looks
        # at the clock instead.
        dataset.context.execution_no_progress_timeout_s = -1
        for _, block in _blocks(dataset):
            yield from deserialized(block)
        size = min(2 * size, _MOST_TASKS)


def map_on_ray(function: Callable[[T], R], items: Sequence[T], *, files: Iterable[str]) -> list[R]:
    """What a function gives for each item, by a task per core.

    Args:
        function: Travels to the tasks.
        items: Its arguments.
        files: What is read; where some are local, all is done on this machine.

    Raises:
        FarmRayError: As `run_on_ray`.
    """
    if not items:
        return []
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    where: Any = "DEFAULT"
    if any(map(is_local, files)):
        where = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    task: Any = ray.remote(_each).options(num_cpus=READ_CPUS, scheduling_strategy=where)
    share = -(-len(items) // cluster.all_cores())
    try:
        done = ray.get([task.remote(function, items[at : at + share]) for at in range(0, len(items), share)])
    except ray.exceptions.RayError as error:
        raise cluster.cause_of(error) from error
    return [result for some in done for result in some]


def _each(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [function(item) for item in items]


def _dataset(
    tasks: Sequence[ReadTask],
    transform: Transform | Actors,
    *,
    max_tasks: int,
    whole_tables: bool,
    rows_at_once: int | None = None,
) -> ray.data.Dataset:
    import ray.data

    cores = cluster.all_cores()
    # One more than there are cores fills the pause between two tasks; more would only wait for each other.
    at_once = min(max_tasks, cores + 1)
    if not isinstance(transform, Actors) and len(tasks) >= _FUSED_FROM * cores:
        fused = [ReadTask(task.file, functools.partial(run_here, [task], transform)) for task in tasks]
        return _source(fused, cpus=TRANSFORM_CPUS, at_once=at_once, whole_tables=whole_tables)
    rows = _source(tasks, cpus=READ_CPUS, at_once=cores, whole_tables=whole_tables)
    if isinstance(transform, Actors):
        return rows.map_batches(
            TransformActor,
            fn_constructor_args=(transform.make, transform.args),
            batch_format="pyarrow",
            batch_size=1,
            num_cpus=transform.cpus,
            num_gpus=transform.gpus,
            compute=ray.data.ActorPoolStrategy(size=transform.number),
            udf_modifying_row_count=False,
        )
    return rows.map_batches(
        functools.partial(map_serialized, transform) if whole_tables else transform,
        batch_format="pyarrow",
        batch_size=1 if whole_tables else rows_at_once,
        num_cpus=TRANSFORM_CPUS,
        # A long text may become several windows.
        udf_modifying_row_count=not whole_tables,
        compute=ray.data.TaskPoolStrategy(size=at_once),
    )


class TransformActor:
    """A transform in a process of its own."""

    def __init__(self, make: Callable[..., Transform], args: tuple[Any, ...]) -> None:
        self._transform = make(*args)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Serialized tables for serialized tables."""
        return map_serialized(self._transform, rows)


def _source(tasks: Sequence[ReadTask], *, cpus: float, at_once: int, whole_tables: bool) -> ray.data.Dataset:
    """What the tasks read, each by a task of Ray's; whole tables are one serialized row each."""
    import ray.data

    cluster.data_context()
    dataset = ray.data.read_datasource(
        _datasource(tasks, whole_tables=whole_tables),
        num_cpus=cpus,
        override_num_blocks=max(1, len(tasks)),
        compute=ray.data.TaskPoolStrategy(size=at_once),
    )
    dataset.context.target_max_block_size = _SMALL_BLOCK_BYTES if whole_tables else _BLOCK_BYTES
    return dataset


def _datasource(tasks: Sequence[ReadTask], *, whole_tables: bool) -> object:
    from ray.data import ReadTask as RayTask
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource

    class Tables(Datasource):
        @property
        def supports_distributed_reads(self) -> bool:
            return not any(is_local(task.file) for task in tasks)

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_name(self) -> str:
            return "Splits"

        def get_read_tasks(
            self,
            parallelism: int,  # noqa: ARG002 - one for each task, however many Ray would like
            per_task_row_limit: int | None = None,
            data_context: Any = None,  # noqa: ARG002 - Ray's signature
        ) -> list[Any]:
            return [
                RayTask(
                    functools.partial(_read, task, whole_tables),
                    BlockMetadata(num_rows=None, size_bytes=None, input_files=(redacted(task.file),), exec_stats=None),
                    per_task_row_limit=per_task_row_limit,
                )
                for task in tasks
            ]

    return Tables()


def _read(task: ReadTask, whole_tables: bool) -> Iterator[pa.Table]:
    return (serialized(mark, table) if whole_tables else table for mark, table in task.read())


def _blocks(dataset: ray.data.Dataset) -> Iterator[tuple[object, pa.Table]]:
    """Runs a dataset; its blocks as they become ready, in order, each with its reference in the object store.

    Raises:
        FarmRayError: What a task raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    import ray

    dataset.context.execution_options.preserve_order = True
    try:
        for bundle in dataset.iter_internal_ref_bundles():
            yield from zip(bundle.block_refs, ray.get(list(bundle.block_refs)), strict=True)
    except ray.exceptions.RayError as error:
        raise cluster.cause_of(error) from error

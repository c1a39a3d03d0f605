"""The windows of a stream on Ray Data: one task reads and featurises one range, a few of them ahead of the training.

Ray Data plans a dataset as a whole, which takes it some milliseconds per task. So an endless sequence of ranges becomes
a chain of short datasets: the first batch comes after the same time for a small corpus and for a large one.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

from farm_ray import cluster
from farm_ray.data_handler.data_silo.file_source import TravellingProcessor, tables_source
from farm_ray.data_handler.data_silo.operators import blocks_in_order
from farm_ray.data_handler.data_silo.stream import StreamedSet, featurized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.ranges import FileRange
    from farm_ray.data_handler.order import Reading

_FIRST_TASKS = 16
_MOST_TASKS = 128
"""Of one dataset: small at the begin, so that planning takes no time; later ones double."""


def tables_on_ray(stream: StreamedSet, readings: Iterable[Reading], *, ranks: int) -> Iterator[pa.Table]:
    """The features of these ranges in order, in pieces as Ray cuts them.

    Raises:
        FarmRayError: What an arrow raised, with its own type.
        ClusterError: When Ray lost its tasks.
    """
    import ray.data

    cluster.data_context()
    travelling = TravellingProcessor(stream.processor)
    seed, keep_going = stream.seed, stream.keep_going

    # Tasks get what they need, not the whole stream.
    def read(reading: Reading, source: FileRange) -> Iterator[pa.Table]:
        return featurized(travelling.processor(), reading, source, seed=seed, keep_going=keep_going)

    at_once = tasks_at_once(stream, ranks)
    rest, size = iter(readings), _FIRST_TASKS
    while part := list(itertools.islice(rest, size)):
        work = [(reading, stream.ranges[reading.range]) for reading in part]
        dataset = ray.data.read_datasource(
            tables_source("RangeToFeatures", [(one[1].file, functools.partial(read, *one)) for one in work]),
            num_cpus=stream.read_cpus,
            override_num_blocks=len(part),
            compute=ray.data.TaskPoolStrategy(size=at_once),
        )
        # Ray would call it no progress when a long evaluation or a slow model wants no data; who waits for data looks
        # at the clock instead.
        dataset.context.execution_no_progress_timeout_s = -1
        for _, table in blocks_in_order(dataset):
            yield table
        size = min(2 * size, _MOST_TASKS)


def tasks_at_once(stream: StreamedSet, ranks: int) -> int:
    """Tasks that read for each of so many training workers."""
    return max(1, min(stream.max_tasks, cluster.all_cores() // ranks))

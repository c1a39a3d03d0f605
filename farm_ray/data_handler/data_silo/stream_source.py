"""The windows of a stream on Ray Data: one task reads and featurises one range, a few of them ahead of the training.

Ray Data plans a dataset as a whole, which takes it some milliseconds per task. So an endless sequence of ranges becomes
a chain of short datasets: the first batch comes after the same time for a small corpus and for a large one.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from farm_ray import cluster
from farm_ray.data_handler.data_silo.file_source import READ_CPUS, TravellingProcessor
from farm_ray.data_handler.data_silo.operators import blocks_in_order
from farm_ray.data_handler.data_silo.stream import StreamedSet, featurized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.ranges import FileRange
    from farm_ray.data_handler.order import Reading

_FIRST_TASKS = 16
_MOST_TASKS = 128
"""Of one dataset: small at the begin, so that planning takes no time; later ones double."""
_NO_PROGRESS_SECONDS = 600
"""Far more than a failing store is waited for: then its own error is told."""


def tables_on_ray(stream: StreamedSet, readings: Iterable[Reading], *, ranks: int) -> Iterator[pa.Table]:
    """The features of these ranges in order, in pieces as Ray cuts them.

    Raises:
        FarmRayError: What an arrow raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    import ray.data

    cluster.data_context()
    travelling = TravellingProcessor(stream.processor)
    at_once = max(1, min(stream.max_tasks, cluster.all_cores() // ranks))
    rest, size = iter(readings), _FIRST_TASKS
    while part := list(itertools.islice(rest, size)):
        dataset = ray.data.read_datasource(
            _range_tables(travelling, [(reading, stream.ranges[reading.range]) for reading in part], stream),
            num_cpus=READ_CPUS,
            override_num_blocks=len(part),
            compute=ray.data.TaskPoolStrategy(size=at_once),
        )
        dataset.context.execution_no_progress_timeout_s = _NO_PROGRESS_SECONDS
        for _, table in blocks_in_order(dataset):
            yield table
        size = min(2 * size, _MOST_TASKS)


def _range_tables(
    travelling: TravellingProcessor, work: Sequence[tuple[Reading, FileRange]], stream: StreamedSet
) -> Any:
    """A Ray data source with one task per range.

    Local files are read on the node of the training worker that asks, so that other nodes need no copy.
    """
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    # Tasks get these, not the whole stream.
    seed, keep_going = stream.seed, stream.keep_going

    class RangeFeatures(Datasource):
        @property
        def supports_distributed_reads(self) -> bool:
            return all("://" in source.file for _, source in work)

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_name(self) -> str:
            return "RangeToFeatures"

        def get_read_tasks(
            self,
            parallelism: int,  # noqa: ARG002 - one task per range, however many Ray would like
            per_task_row_limit: int | None = None,
            data_context: Any = None,  # noqa: ARG002 - Ray's signature
        ) -> list[ReadTask]:
            return [
                ReadTask(
                    lambda reading=reading, source=source: featurized(  # type: ignore[misc]
                        travelling.processor(), reading, source, seed=seed, keep_going=keep_going
                    ),
                    BlockMetadata(num_rows=None, size_bytes=None, input_files=(source.file,), exec_stats=None),
                    per_task_row_limit=per_task_row_limit,
                )
                for reading, source in work
            ]

    return RangeFeatures()

"""Arrow one on Ray: files to tables, one read task per file or part of one, by a processor that travels there."""

from __future__ import annotations

import functools
import os
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from farm_ray import cluster
from farm_ray.data_handler.file_to_dicts.ranges import ByteRange, count_lines, numbered
from farm_ray.storage import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.processor import Processor

READ_CPUS = 0.2
"""Logical CPUs of a task that reads. Unlike the other operators' share, so that Ray does not fuse reading into them:
all that one task reads would be featurised by that task."""

_processors: dict[str, Any] = {}
"""Processors of this worker process by fingerprint: unpickling a tokenizer per task would cost more than its work."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one task reads."""

    file: str
    range: ByteRange | None
    """None: the whole file."""


class TravellingProcessor:
    """A frozen processor on its way to Ray tasks: pickled once here, unpickled once per worker process there.

    A task carries a reference only, as its tokenizer may weigh more than all it reads.
    """

    def __init__(self, processor: Processor) -> None:
        import ray
        from ray import cloudpickle

        self._here: Processor | None = processor
        self.key = processor.fingerprint()
        # Ray's pickle also takes classes and functions of the user's main program.
        self.payload = ray.put(cloudpickle.dumps(processor))

    def __getstate__(self) -> dict[str, Any]:
        return {"key": self.key, "payload": self.payload, "_here": None}

    def processor(self) -> Processor:
        """The processor in this process."""
        if self._here is not None:
            return self._here
        if self.key not in _processors:
            import ray

            # One tokenizer thread per task: the tasks themselves run in parallel.
            os.environ.setdefault("RAYON_NUM_THREADS", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            _processors[self.key] = pickle.loads(ray.get(self.payload))  # noqa: S301 - our own bytes, from this job's driver
        return _processors[self.key]

    def featurize(self, dicts: pa.Table) -> pa.Table:
        """Arrows two and three."""
        return self.processor().featurize(dicts)

    def read(self, part: Part) -> Iterator[pa.Table]:
        """Arrow one."""
        return read_part(self.processor(), part)


def read_part(processor: Processor, part: Part) -> Iterator[pa.Table]:
    """Arrow one of one part."""
    return processor.read_tables(part.file) if part.range is None else processor.read_range(part.file, part.range)


def parts_of(travelling: TravellingProcessor, files: Sequence[str]) -> list[Part]:
    """The files, big ones cut into ranges where the processor can; the lines before each range are counted on Ray."""
    processor = travelling.processor()
    processor.look_at_files(files)
    cuts = {file: processor.cuts(file) for file in files}
    lines = iter(_count([(file, *cut) for file in files for cut in cuts[file]]))
    parts: list[Part] = []
    for file in files:
        ranges = numbered(cuts[file], [next(lines) for _ in cuts[file]])
        parts += [Part(file, one) for one in ranges] or [Part(file, None)]
    return parts


def part_tables(travelling: TravellingProcessor, parts: Sequence[Part]) -> Any:
    """A Ray data source with one read task per part; each yields the tables of arrow one as they come."""
    return tables_source("FileToDicts", [(part.file, functools.partial(travelling.read, part)) for part in parts])


def tables_source(name: str, reads: Sequence[tuple[str, Callable[[], Iterator[pa.Table]]]]) -> Any:
    """A Ray data source with one task for each (file, what reads it).

    Local files are read on the node of the process that asks, so that other nodes need no copy.
    """
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    class Tables(Datasource):
        @property
        def supports_distributed_reads(self) -> bool:
            return not any(_is_local(file) for file, _ in reads)

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_name(self) -> str:
            return name

        def get_read_tasks(
            self,
            parallelism: int,  # noqa: ARG002 - one task per read, however many Ray would like
            per_task_row_limit: int | None = None,
            data_context: Any = None,  # noqa: ARG002 - Ray's signature
        ) -> list[ReadTask]:
            return [
                ReadTask(
                    read,
                    BlockMetadata(num_rows=None, size_bytes=None, input_files=(redacted(file),), exec_stats=None),
                    per_task_row_limit=per_task_row_limit,
                )
                for file, read in reads
            ]

    return Tables()


def _count(ranges: list[tuple[str, int, int]]) -> list[int]:
    """The lines of each (file, start, end), by a task per core; local files are read on the driver's node."""
    if not ranges:
        return []
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    where: Any = "DEFAULT"
    if any(_is_local(file) for file, _, _ in ranges):
        where = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    task = ray.remote(_count_each).options(num_cpus=READ_CPUS, scheduling_strategy=where)
    share = -(-len(ranges) // cluster.all_cores())
    try:
        counts = ray.get([task.remote(ranges[at : at + share]) for at in range(0, len(ranges), share)])
    except ray.exceptions.RayError as error:
        raise cluster.cause_of(error) from error
    return [count for part in counts for count in part]


def _count_each(ranges: list[tuple[str, int, int]]) -> list[int]:
    return [count_lines(*one) for one in ranges]


def _is_local(file: str) -> bool:
    return "://" not in file

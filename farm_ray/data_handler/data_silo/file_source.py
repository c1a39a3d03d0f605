"""Arrow one on Ray: files to tables, one read task per file, by a processor that travels to the worker processes."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.processor import Processor

_processors: dict[str, Any] = {}
"""Processors of this worker process by fingerprint: unpickling a tokenizer per task would cost more than its work."""


class TravellingProcessor:
    """A frozen processor on its way to Ray tasks: pickled once here, unpickled once per worker process there."""

    def __init__(self, processor: Processor) -> None:
        from ray import cloudpickle

        self.key = processor.fingerprint()
        # Ray's pickle also takes classes and functions of the user's main program.
        self.payload = cloudpickle.dumps(processor)

    def processor(self) -> Processor:
        """The processor in this process."""
        if self.key not in _processors:
            # One tokenizer thread per task: the tasks themselves run in parallel.
            os.environ.setdefault("RAYON_NUM_THREADS", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            _processors[self.key] = pickle.loads(self.payload)  # noqa: S301 - our own bytes, from this job's driver
        return _processors[self.key]

    def featurize(self, dicts: pa.Table) -> pa.Table:
        """Arrows two and three."""
        return self.processor().featurize(dicts)

    def read_tables(self, file: str) -> Iterator[pa.Table]:
        """Arrow one."""
        return self.processor().read_tables(file)


def file_tables(travelling: TravellingProcessor, files: Sequence[str]) -> Any:
    """A Ray data source with one read task per file; each yields the tables of arrow one as they come.

    Local files are read on the driver's node, so that other nodes need no copy.
    """
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    class FileTables(Datasource):
        @property
        def supports_distributed_reads(self) -> bool:
            return all("://" in file for file in files)

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_name(self) -> str:
            return "FileToDicts"

        def get_read_tasks(
            self,
            parallelism: int,  # noqa: ARG002 - one task per file, however many Ray would like
            per_task_row_limit: int | None = None,
            data_context: Any = None,  # noqa: ARG002 - Ray's signature
        ) -> list[ReadTask]:
            return [
                ReadTask(
                    lambda file=file: travelling.read_tables(file),  # type: ignore[misc]
                    BlockMetadata(num_rows=None, size_bytes=None, input_files=(file,), exec_stats=None),
                    per_task_row_limit=per_task_row_limit,
                )
                for file in files
            ]

    return FileTables()

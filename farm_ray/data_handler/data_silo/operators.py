"""The arrows as Ray Data operators. Nothing else in the data way knows Ray."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray.errors import ClusterError, FarmRayError

if TYPE_CHECKING:
    import ray.data

    from farm_ray.data_handler.processor import Processor

OPERATOR_CPUS = 0.25
"""Logical CPUs of one data task. A fraction, so that data and training always fit beside each other."""

Progress = Callable[[str, int, int | None, str], None]

_processors: dict[str, Any] = {}
"""Processors of this worker process by fingerprint: unpickling a tokenizer per task would cost more than its work."""


def features_on_ray(
    processor: Processor, files: Sequence[str], *, rows_per_task: int, max_tasks: int, progress: Progress | None = None
) -> tuple[pa.Table, tuple[Any, ...]]:
    """The features of all rows of these files, in file order, and references to the table's chunks.

    Files are read by one task each; their rows are featurised `rows_per_task` at a time by parallel tasks. The
    result's chunks lie in Ray's object store and are not copied.

    Raises:
        FarmRayError: What an arrow raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    import ray.data

    from farm_ray.cluster import data_context

    data_context()
    travelling = TravellingProcessor(processor)
    source = ray.data.read_datasource(
        _file_source(travelling, files), num_cpus=OPERATOR_CPUS, override_num_blocks=max(1, len(files))
    )
    features = source.repartition(target_num_rows_per_block=rows_per_task).map_batches(
        travelling.featurize,
        batch_format="pyarrow",
        batch_size=None,
        num_cpus=OPERATOR_CPUS,
        udf_modifying_row_count=False,
        compute=ray.data.TaskPoolStrategy(size=max_tasks),
    )
    return collect(features, progress=progress)


def collect(dataset: ray.data.Dataset, *, progress: Progress | None = None) -> tuple[pa.Table, tuple[Any, ...]]:
    """Runs a dataset; its rows in order as one table over the object store's blocks, and references to these."""
    import ray

    dataset.context.execution_options.preserve_order = True
    blocks: list[tuple[Any, pa.Table]] = []
    try:
        for bundle in dataset.iter_internal_ref_bundles():
            blocks += zip(bundle.block_refs, ray.get(list(bundle.block_refs)), strict=True)
            if progress is not None:
                progress("preprocess", sum(table.num_rows for _, table in blocks), None, "rows")
    except ray.exceptions.RayError as error:
        raise cause_of(error) from error
    filled = [(reference, table) for reference, table in blocks if table.num_rows] or blocks[:1]
    if not filled:
        return pa.table({}), ()
    return pa.concat_tables([table for _, table in filled]), tuple(reference for reference, _ in filled)


def cause_of(error: BaseException) -> BaseException:
    """The farm_ray error behind a Ray error, or a ClusterError that tells Ray's in one line."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FarmRayError):
            return seen
        inner = getattr(seen, "cause", None)
        seen = inner if isinstance(inner, BaseException) and inner is not seen else seen.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ClusterError(f"Ray could not finish the data tasks: {lines[-1] if lines else type(error).__name__}")


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


def _file_source(travelling: TravellingProcessor, files: Sequence[str]) -> Any:
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    class FileTables(Datasource):
        """One read task per file; each yields the tables of arrow one as they come."""

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

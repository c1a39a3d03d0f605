"""The arrows as Ray Data operators. Nothing else in the data way knows Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray import cluster
from farm_ray.data_handler.columns import joined
from farm_ray.data_handler.data_silo.file_source import READ_CPUS, TravellingProcessor, part_tables, parts_of
from farm_ray.data_handler.processor.measuring import without_texts

if TYPE_CHECKING:
    import ray.data

    from farm_ray.data_handler.processor import Processor

OPERATOR_CPUS = 0.25
"""Logical CPUs of one data task. A fraction, so that data and training always fit beside each other."""

_BLOCK_BYTES = 1 << 20
"""Of text, about half a second of work for a tokenizer."""

Progress = Callable[[str, int, int | None, str], None]


def features_on_ray(
    processor: Processor, files: Sequence[str], *, rows_at_once: int, max_tasks: int, progress: Progress | None = None
) -> tuple[pa.Table, tuple[Any, ...]]:
    """The features of all rows of these files, in file order, and references to the table's chunks.

    Files are read by a task each, big ones by several where they can be cut; what is read goes on in blocks to
    parallel tasks, which featurise `rows_at_once` rows at a time. The result's chunks lie in Ray's object store and are
    not copied.

    Raises:
        FarmRayError: What an arrow raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    import ray.data

    travelling = TravellingProcessor(processor)
    features = dicts_on_ray(travelling, files).map_batches(
        travelling.featurize,
        batch_format="pyarrow",
        batch_size=rows_at_once,
        num_cpus=OPERATOR_CPUS,
        # A long text may become several windows.
        udf_modifying_row_count=True,
        # One more than there are cores fills the pause between two tasks; more would only wait for each other.
        compute=ray.data.TaskPoolStrategy(size=min(max_tasks, cluster.all_cores() + 1)),
    )
    return _one_table(features, progress)


def dicts_on_ray(travelling: TravellingProcessor, files: Sequence[str]) -> ray.data.Dataset:
    """The rows of these files as a dataset of small blocks, so that one big file keeps all cores busy."""
    import ray.data

    cluster.data_context()
    parts = parts_of(travelling, files)
    rows = ray.data.read_datasource(
        part_tables(travelling, parts),
        num_cpus=READ_CPUS,
        override_num_blocks=max(1, len(parts)),
        compute=ray.data.TaskPoolStrategy(size=cluster.all_cores()),
    )
    rows.context.target_max_block_size = _BLOCK_BYTES
    return rows


def labels_on_ray(processor: Processor, files: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of these files without their texts, in file order, as `Processor.fitted_on` wants them."""
    labels = dicts_on_ray(TravellingProcessor(processor), files).map_batches(
        without_texts,
        batch_format="pyarrow",
        batch_size=None,
        num_cpus=OPERATOR_CPUS,
        udf_modifying_row_count=False,
    )
    return (table for _, table in blocks_in_order(labels))


def blocks_in_order(dataset: ray.data.Dataset) -> Iterator[tuple[Any, pa.Table]]:
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


def _one_table(dataset: ray.data.Dataset, progress: Progress | None) -> tuple[pa.Table, tuple[Any, ...]]:
    """The dataset's rows as one table over the object store's blocks, and references to these."""
    blocks, rows = [], 0
    for reference, table in blocks_in_order(dataset):
        blocks.append((reference, table))
        rows += table.num_rows
        if progress is not None:
            progress("preprocess rows", rows, None, "")
    filled = [(reference, table) for reference, table in blocks if table.num_rows] or blocks[:1]
    if not filled:
        return pa.table({}), ()
    return joined([table for _, table in filled]), tuple(reference for reference, _ in filled)

"""The units of some files on Ray: a task reads each, and no operator tears its tables apart or joins them."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray import cluster
from farm_ray.data_handler.data_silo.file_source import READ_CPUS, TravellingProcessor, parts_of, tables_source
from farm_ray.data_handler.data_silo.operators import OPERATOR_CPUS, blocks_in_order
from farm_ray.data_handler.data_silo.units import unit_tables
from farm_ray.parts import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import ray.data

    from farm_ray.data_handler.data_silo.file_source import Part
    from farm_ray.data_handler.data_silo.units import FileRows, Unit

_BLOCK_BYTES = 64 << 10
"""Less than most tables, so that each of them is a block and on its way as soon as it is there."""


def boxes_on_ray(travelling: TravellingProcessor, source: FileRows, after: Place) -> ray.data.Dataset:
    """The rows behind a place as a dataset of boxes, one row for each of the tables that `FileRows.tables` gives."""
    import ray.data

    cluster.data_context()
    units = list(source.units(after, _parts_by_file(travelling, source.files[after.file :])))
    reads = [
        (unit.parts[0].file, functools.partial(_read_boxes, travelling, unit, after, source.rows_per_table))
        for unit in units
    ]
    boxes = ray.data.read_datasource(
        tables_source("FilesToDicts", reads),
        num_cpus=READ_CPUS,
        override_num_blocks=max(1, len(reads)),
        compute=ray.data.TaskPoolStrategy(size=cluster.all_cores()),
    )
    boxes.context.target_max_block_size = _BLOCK_BYTES
    return boxes


def features_in_order(source: FileRows, after: Place, *, max_tasks: int) -> Iterator[tuple[pa.Table, Place]]:
    """The features of the rows behind a place, one table for each of the source's, with the place behind it.

    Raises:
        FarmRayError: What an arrow raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    import ray.data

    travelling = TravellingProcessor(source.processor)
    features = boxes_on_ray(travelling, source, after).map_batches(
        functools.partial(inside_boxes, travelling.featurize),
        batch_format="pyarrow",
        batch_size=1,
        num_cpus=OPERATOR_CPUS,
        udf_modifying_row_count=False,
        # As for features that are not kept in parts.
        compute=ray.data.TaskPoolStrategy(size=min(max_tasks, cluster.all_cores() + 1)),
    )
    return tables_in_order(features)


def inside_boxes(arrow: Callable[[pa.Table], pa.Table], boxes: pa.Table) -> pa.Table:
    """Boxes with what the arrow makes of the tables in these, at the same places."""
    return pa.concat_tables([_boxed(arrow(table), place) for table, place in _unboxed(boxes)])


def tables_in_order(boxes: ray.data.Dataset) -> Iterator[tuple[pa.Table, Place]]:
    """Runs a dataset of boxes; their tables and places as they become ready, in order.

    Raises:
        FarmRayError: What a task raised, with its own type.
        ClusterError: When Ray made no progress or lost its tasks.
    """
    for _, block in blocks_in_order(boxes):
        yield from _unboxed(block)


def _parts_by_file(travelling: TravellingProcessor, files: Sequence[str]) -> Callable[[str], list[Part]]:
    grouped = itertools.groupby(parts_of(travelling, files), key=lambda part: part.file)
    return {file: list(parts) for file, parts in grouped}.__getitem__


def _read_boxes(travelling: TravellingProcessor, unit: Unit, after: Place, rows_per_table: int) -> Iterator[pa.Table]:
    for table, place in unit_tables(travelling.processor(), unit, after, rows_per_table):
        yield _boxed(table, place)


def _boxed(table: pa.Table, place: Place) -> pa.Table:
    """One row, which Ray cannot cut: the table as bytes, and the place behind it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content: Any = sink.getvalue().to_pybytes()
    return pa.table({"place": [list(place)], "table": pa.array([content], pa.large_binary())})


def _unboxed(boxes: pa.Table) -> Iterator[tuple[pa.Table, Place]]:
    # A task that has read nothing gives a block without columns.
    if boxes.num_rows:
        for place, content in zip(boxes.column("place").to_pylist(), boxes.column("table"), strict=True):
            yield pa.ipc.open_stream(content.as_buffer()).read_all(), Place(*place)

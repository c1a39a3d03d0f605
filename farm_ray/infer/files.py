"""A file of texts in, a file of predictions out: in this process for some thousand rows, through Ray for more."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems

if TYPE_CHECKING:
    from farm_ray.data_handler.processor import Processor
    from farm_ray.infer.output import RowWriter
    from farm_ray.infer.predictor import Predictor

RAY_FROM_ROWS = 5000
"""Up to this many rows are predicted in this process: starting Ray and its actors takes about as long."""

Progress = Callable[[str, int, int | None, str], None]
"""Called with (stage, rows done, rows in all or None, unit)."""


@dataclass(frozen=True, kw_only=True)
class FilePredictions:
    """What `predict_file` did."""

    output: str
    rows: int
    """Rows of the input and of the output."""
    problems: dict[str, int] = field(default_factory=dict)
    """Rows that have a problem instead of a prediction, by kind."""
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows by wall time, reading and writing included."""
        return self.rows / self.seconds if self.seconds else 0.0


def predict_tables(predictor: Predictor, tables: Iterable[pa.Table], *, return_class_probs: bool) -> Iterator[pa.Table]:
    """Flat predictions for tables of id, text and problem, one table for each, in this process."""
    for dicts in tables:
        yield predictor.predict(dicts).to_table(return_class_probs=return_class_probs)


def flat_schema(predictor: Predictor, *, return_class_probs: bool) -> pa.Schema:
    """Columns of the flat predictions, known before the first row."""
    nothing = predictor.processor.dicts_to_table([])
    return predictor.predict(nothing).to_table(return_class_probs=return_class_probs).schema


def file_predictions(
    predictor: Predictor, files: Sequence[str], *, num_actors: int | None, address: str | None, return_class_probs: bool
) -> Iterator[pa.Table]:
    """Flat predictions for all rows of the files, in their order, on Ray where that is worth it."""
    start, rest = _read_ahead(read_files(predictor.processor, files), RAY_FROM_ROWS)
    if num_actors == 0 or (num_actors is None and rest is None):
        tables = itertools.chain(start, rest or ())
        return predict_tables(predictor, tables, return_class_probs=return_class_probs)
    from farm_ray import cluster
    from farm_ray.infer.actors import predict_on_ray

    cluster.connect(address)
    return predict_on_ray(predictor, files, num_actors=num_actors, return_class_probs=return_class_probs)


def read_files(processor: Processor, files: Sequence[str]) -> Iterator[pa.Table]:
    """Tables of id, text and problem, file after file."""
    for file in files:
        yield from processor.read_tables(file)


def write_all(
    predictions: Iterable[pa.Table], writer: RowWriter, *, output: str, progress: Progress | None = None
) -> FilePredictions:
    """Writes every table as it comes and counts rows and problems."""
    started, rows, kinds = time.perf_counter(), 0, Counter[str]()
    for table in predictions:
        writer.write(table)
        rows += table.num_rows
        kinds.update(_problem_kinds(table))
        if progress is not None:
            progress("predict", rows, None, "rows")
    return FilePredictions(output=output, rows=rows, problems=dict(kinds), seconds=time.perf_counter() - started)


def _problem_kinds(table: pa.Table) -> dict[str, int]:
    kinds = pc.struct_field(problems.of(table).drop_null(), "kind")
    return {count["values"]: count["counts"] for count in pc.value_counts(kinds).to_pylist()}


def _read_ahead(tables: Iterator[pa.Table], rows: int) -> tuple[list[pa.Table], Iterator[pa.Table] | None]:
    """The first tables with at least `rows` rows, and the rest; None where nothing is left."""
    start: list[pa.Table] = []
    while sum(table.num_rows for table in start) <= rows:
        table: Any = next(tables, None)
        if table is None:
            return start, None
        start.append(table)
    return start, tables

"""A file of texts in, a file of predictions out: in this process for some thousand rows, through Ray for more."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.data_handler.processor.identity import changed_copy
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from farm_ray.data_handler.processor import Processor
    from farm_ray.infer.output import RowWriter
    from farm_ray.infer.predictor import Predictor

RAY_FROM_ROWS = 5000
"""Up to this many rows are predicted in this process: starting Ray and its actors takes about as long."""

Progress = Callable[[str, int, int | None, str], None]
"""Called with (stage, rows done, rows in all or None, note)."""


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
    predictions: Iterable[pa.Table], writer: RowWriter, *, progress: Progress | None = None
) -> tuple[int, dict[str, int]]:
    """Writes every table as it comes; returns the rows written, and how many have which kind of problem."""
    rows, kinds = 0, Counter[str]()
    for table in predictions:
        writer.write(table)
        rows += table.num_rows
        kinds.update(_problem_kinds(table))
        if progress is not None:
            progress("predict rows", rows, None, "")
    return rows, dict(kinds)


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


def reading_processor(
    processor: Processor,
    *,
    text_column: str | None = None,
    delimiter: str | None = None,
    quote_char: str | None = None,
) -> Processor:
    """A frozen copy that ignores labels and reads every row, also where it was trained on a sample.

    Args:
        processor: Its settings hold where an argument is None.
        text_column: Column with the text.
        delimiter: Of text files.
        quote_char: Of text files; "" switches quoting off.

    Raises:
        ConfigError: When the processor reads files in a way of its own.
    """
    changes: dict[str, Any] = {"text_column_name": text_column, "delimiter": delimiter, "quote_char": quote_char}
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes and getattr(type(processor), "file_to_dicts", None) is not TextClassificationProcessor.file_to_dicts:
        name = type(processor).__name__
        raise ConfigError(f"{name} reads files itself, so {', '.join(changes)} would have no effect; leave it out")
    if quote_char == "":
        changes["quote_char"] = None
    if text_column is not None:
        tasks = processor.tasks.items()
        changes["tasks"] = {name: {**task, "text_column_name": text_column} for name, task in tasks}
    if hasattr(processor, "max_samples"):
        changes["max_samples"] = None
    return changed_copy(processor, inference=True, **changes).frozen()

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
    from farm_ray.infer.predictions import Predictions
    from farm_ray.infer.predictor import Predictor

RAY_FROM_ROWS = 5000
"""Up to this many rows are predicted in this process: starting Ray and its actors takes about as long."""

Form = Callable[["Predictions"], pa.Table]
"""Makes a table of predictions, one row for each."""

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


def predict_tables(predictor: Predictor, tables: Iterable[pa.Table], form: Form) -> Iterator[pa.Table]:
    """Predictions for tables of id, text and problem, one table for each, in this process."""
    for dicts in tables:
        yield form(predictor.predict(dicts))


def predict_nothing(predictor: Predictor) -> Predictions:
    """Predictions for no rows: what the columns and elements look like, known before the first row."""
    return predictor.predict(predictor.processor.dicts_to_table([]))


def predict_files(
    predictor: Predictor,
    files: Sequence[str],
    form: Form,
    *,
    num_actors: int | None = None,
    address: str | None = None,
    rows_at_once: int | None = None,
) -> Iterator[pa.Table]:
    """Predictions for all rows of the files, in their order, on Ray where that is worth it.

    Args:
        predictor: Its processor reads the files.
        files: As `storage.list_files` gives them.
        form: What becomes of the predictions; travels to the actors.
        num_actors: Ray actors; 0 stays in this process, None decides by the number of rows.
        address: Of a Ray cluster; None joins the running one or starts one here.
        rows_at_once: Rows per table at most; None leaves that to the reader and to Ray.
    """
    start, rest = _read_ahead(_read_files(predictor.processor, files), RAY_FROM_ROWS)
    if num_actors == 0 or (num_actors is None and rest is None):
        tables = itertools.chain(start, rest or ())
        return predict_tables(predictor, _in_slices(tables, rows_at_once), form)
    from farm_ray import cluster
    from farm_ray.infer.actors import predict_on_ray

    cluster.connect(address)
    return _in_slices(predict_on_ray(predictor, files, form, num_actors=num_actors), rows_at_once)


def _read_files(processor: Processor, files: Sequence[str]) -> Iterator[pa.Table]:
    """Tables of id, text and problem, file after file."""
    for file in files:
        yield from processor.read_tables(file)


def _in_slices(tables: Iterable[pa.Table], rows: int | None) -> Iterator[pa.Table]:
    for table in tables:
        size = rows or max(1, table.num_rows)
        yield from (table.slice(start, size) for start in range(0, max(1, table.num_rows), size))


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

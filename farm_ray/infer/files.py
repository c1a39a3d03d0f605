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

if TYPE_CHECKING:
    from farm_ray.data_handler.processor import Processor
    from farm_ray.infer.answers import Answers, Form
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


def predict_tables(predictor: Predictor, tables: Iterable[pa.Table], form: Form) -> Iterator[pa.Table]:
    """Predictions for tables of id, text and problem, one table for each of at most `rows_at_once`, in this process."""
    for dicts in _in_slices(tables, predictor.rows_at_once):
        yield form(predictor.predict(dicts))


def predict_nothing(predictor: Predictor) -> Answers:
    """Answers for no rows: what the columns and elements look like, known before the first row."""
    return predictor.predict(predictor.processor.dicts_to_table([]))


def predict_files(
    predictor: Predictor,
    files: Sequence[str],
    form: Form,
    *,
    reader: Processor | None = None,
    num_actors: int | None = None,
    address: str | None = None,
    rows_at_once: int | None = None,
) -> Iterator[pa.Table]:
    """Predictions for all rows of the files, in their order, on Ray where that is worth it.

    Args:
        predictor: Makes the answers.
        files: As `storage.list_files` gives them.
        form: What becomes of the predictions; travels to the actors.
        reader: Reads the files; None takes the predictor's processor.
        num_actors: Ray actors; 0 stays in this process, None decides by the number of rows.
        address: Of a Ray cluster; None joins the running one or starts one here.
        rows_at_once: Rows per table at most; None leaves that to the reader and to Ray.
    """
    reader = reader or predictor.processor
    start, rest = _read_ahead(_read_files(reader, files), RAY_FROM_ROWS)
    if num_actors == 0 or (num_actors is None and rest is None):
        tables = itertools.chain(start, rest or ())
        return predict_tables(predictor, _in_slices(tables, rows_at_once), form)
    from farm_ray import cluster
    from farm_ray.infer.actors import predict_on_ray

    cluster.connect(address)
    return _in_slices(predict_on_ray(predictor, files, form, reader=reader, num_actors=num_actors), rows_at_once)


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

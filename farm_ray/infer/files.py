"""A file of texts in, a file of predictions out: in this process for some thousand rows, through Ray for more."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray import cluster, storage
from farm_ray.data_handler import problems
from farm_ray.data_handler.data_silo.executor import run_here
from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.data_silo.split_groups import SplitRows
from farm_ray.data_handler.file_to_dicts.splits import SPLIT_BYTES
from farm_ray.infer.output import prediction_file
from farm_ray.parts import START, Cursor, Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from farm_ray.data_handler.data_silo.executor import Marked
    from farm_ray.data_handler.data_silo.serialized import Mark
    from farm_ray.data_handler.processor import Processor
    from farm_ray.infer.answers import Answers, Form
    from farm_ray.infer.output import RowWriter
    from farm_ray.infer.predictor import Predictor
    from farm_ray.progress import Progress

logger = logging.getLogger(__name__)

RAY_FROM_ROWS = 5000
"""Up to this many rows are predicted in this process: starting Ray and its actors takes about as long."""

ROWS_AT_ONCE = 2048
"""Rows of files that are sorted by length and predicted together, and that a kill loses at most, per actor."""

_RAY_FROM_BYTES = 32 << 20
"""Files from this size on hold more than so many rows."""


@dataclass(frozen=True, kw_only=True)
class FilePredictions:
    """What `predict_file` did."""

    output: str
    rows: int
    """Rows of the input and of the output."""
    rows_resumed: int = 0
    """Of these, rows that an earlier run had finished."""
    problems: dict[str, int] = field(default_factory=dict)
    """Rows that have a problem instead of a prediction, by kind."""
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows of this run by wall time, reading and writing included."""
        return (self.rows - self.rows_resumed) / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Written:
    """What has gone into a prediction file so far."""

    rows: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    first_problem: str | None = None
    """Its message."""

    def count(self, table: pa.Table) -> None:
        """Adds the rows of a table."""
        found = problems.of(table).drop_null()
        kinds = pc.value_counts(pc.struct_field(found, "kind")).to_pylist()
        self.rows += table.num_rows
        self.problems.update({count["values"]: count["counts"] for count in kinds})
        if self.first_problem is None and len(found):
            self.first_problem = found[0].as_py()["message"]

    def report(self, output: str) -> None:
        """Logs how many rows have a problem instead of a prediction, and the first one."""
        if self.first_problem is not None:
            name, number = storage.redacted(output), sum(self.problems.values())
            logger.warning(
                "%s: %d of %d rows have a problem; the first: %s", name, number, self.rows, self.first_problem
            )


def predict_tables(predictor: Predictor, tables: Iterable[pa.Table], form: Form) -> Iterator[pa.Table]:
    """Predictions for tables of id, text and problem, one table for each of at most `rows_at_once`, in this process."""
    for dicts in in_slices(tables, predictor.rows_at_once):
        yield form(predictor.predict(dicts))


def predict_nothing(predictor: Predictor) -> Answers:
    """Answers for no rows: what the columns and elements look like, known before the first row."""
    return predictor.predict(predictor.processor.dicts_to_table([]))


def rows_of_files(
    reader: Processor,
    files: Sequence[str],
    states: Sequence[storage.FileState],
    rows_at_once: int,
    *,
    num_actors: int | None = None,
    address: str | None = None,
) -> SplitRows:
    """The rows of some files as they are predicted: tables of at most `rows_at_once` rows.

    Large files are looked through before, on Ray unless `num_actors` is 0.

    Args:
        reader: Reads the files.
        files: The files.
        states: Of these files.
        rows_at_once: Most rows of a table.
        num_actors: As for `predict_files`.
        address: As for `predict_files`.
    """
    on_ray = num_actors != 0 and sum(state.size or 0 for state in states) >= _RAY_FROM_BYTES
    if on_ray:
        cluster.connect(address)
    return SplitRows(
        processor=reader,
        splits=tuple(planned_splits(reader, files, SPLIT_BYTES, on_ray=on_ray)),
        sizes=tuple(state.size for state in states),
        rows_per_table=min(ROWS_AT_ONCE, rows_at_once),
    )


def predict_files(
    predictor: Predictor,
    source: SplitRows,
    form: Form,
    after: Cursor = START,
    *,
    num_actors: int | None = None,
    address: str | None = None,
) -> Iterator[tuple[Cursor, pa.Table]]:
    """Predictions for all rows behind a cursor, in their order, on Ray where that is worth it.

    Args:
        predictor: Makes the answers.
        source: The rows.
        form: What becomes of the predictions; travels to the actors.
        after: The cursor.
        num_actors: Ray actors; 0 stays in this process, None decides by the number of rows.
        address: Of a Ray cluster; None joins the running one or starts one here.

    Returns:
        One table for each of the source's, with the cursor behind it.
    """
    start, rest = _read_ahead(run_here(source.tasks(after)), RAY_FROM_ROWS)
    if not start or num_actors == 0 or (num_actors is None and rest is None):
        tables = itertools.chain(start, rest or ())
        return ((Cursor(*mark), form(predictor.predict(dicts))) for mark, dicts in tables)
    from farm_ray.infer.actors import predict_on_ray

    cluster.connect(address)
    return predict_on_ray(predictor, source, form, after=after, num_actors=num_actors)


def in_slices(tables: Iterable[pa.Table], rows: int | None) -> Iterator[pa.Table]:
    """The same rows in tables of at most so many; None leaves them as they are."""
    for table in tables:
        size = rows or max(1, table.num_rows)
        yield from (table.slice(start, size) for start in range(0, max(1, table.num_rows), size))


def write_all(
    predictions: Iterable[pa.Table], writer: RowWriter, *, progress: Progress | None = None, written: Written
) -> None:
    """Writes every table as it comes, and counts."""
    for table in predictions:
        writer.write(table)
        written.count(table)
        if progress is not None:
            progress("predict rows", written.rows, None, "")


def write_with_parts(
    parts: Parts,
    output: str,
    schema: pa.Schema,
    predict: Callable[[Cursor], Iterator[tuple[Cursor, pa.Table]]],
    *,
    progress: Progress | None = None,
) -> tuple[Written, int]:
    """Writes what earlier runs have finished and then the rest, which is kept in parts until the output is whole.

    Args:
        parts: The finished parts.
        output: The file.
        schema: Of its rows.
        predict: Gives the predictions behind a cursor.
        progress: As for `predict_file`.

    Returns:
        What was written, and how many of its rows were finished before.

    Raises:
        ConfigError: When the output cannot be written, or another run writes it.
    """
    written = Written()

    def kept(predictions: Iterable[tuple[Cursor, pa.Table]]) -> Iterator[pa.Table]:
        for cursor, table in predictions:
            yield table
            parts.keep(table, cursor)

    with parts:
        with prediction_file(output, schema, aside_in=parts.local_folder) as writer:
            write_all(parts.tables(), writer, progress=progress, written=written)
            resumed = written.rows
            if resumed:
                logger.info("%s: %d rows were finished by an earlier run", storage.redacted(output), resumed)
            write_all(kept(predict(parts.cursor)), writer, progress=progress, written=written)
            parts.check()
        parts.remove()
    return written, resumed


def _read_ahead(marked: Marked, rows: int) -> tuple[list[tuple[Mark, pa.Table]], Marked | None]:
    """The first tables with at least `rows` rows, and the rest; None where nothing is left."""
    start: list[tuple[Mark, pa.Table]] = []
    while sum(table.num_rows for _, table in start) <= rows:
        one = next(marked, None)
        if one is None:
            return start, None
        start.append(one)
    return start, marked

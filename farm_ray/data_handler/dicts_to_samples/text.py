"""Text rows: dicts with a text and a label per task to samples with label ids."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems, sample_columns
from farm_ray.data_handler.columns import null_where_not, one_array
from farm_ray.tasks.label_problems import STAGE, problems_where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.problems import Problem
    from farm_ray.tasks.task import Tasks


def text_samples(dicts: pa.Table, *, tasks: Tasks, inference: bool) -> pa.Table:
    """Rows in = rows out, in order; an invalid row keeps its place and gets a `problem`.

    Args:
        dicts: Columns id, text, text_b where rows are pairs, a column named by each task's `label_name` (strings; of
            words lists of them), problem.
        tasks: As `Processor.tasks` holds them.
        inference: Leave labels alone: the result has no label columns.

    Returns:
        `sample_columns.text_schema` of the tasks (of no task in inference).
    """
    converted = {} if inference else dict(tasks)
    table = mark_empty_texts(dicts)
    labels: dict[str, pa.Array] = {}
    for task in converted.values():
        labels[task.label_tensor_name], found = task.labels.convert(table, task)
        table = with_problems(table, found)
    return assemble(table, labels, converted)


def mark_empty_texts(dicts: pa.Table) -> pa.Table:
    """The table with the problem "empty text" on rows with a text that is null, empty or whitespace only."""
    for name in ("text", sample_columns.TEXT_B):
        if name in dicts.column_names:
            empty = _is_blank(one_array(dicts.column(name)))
            dicts = with_problems(dicts, problems_where(dicts, empty, partial(_empty_text, column=name)))
    return dicts


def assemble(table: pa.Table, labels: Mapping[str, pa.Array], tasks: Tasks) -> pa.Table:
    """Samples from checked rows and their label columns; labels beside a problem become null."""
    pairs = sample_columns.TEXT_B in table.column_names
    schema = sample_columns.text_schema(tasks, pairs=pairs)
    sound = problems.sound(table)
    texts = ("text", sample_columns.TEXT_B) if pairs else ("text",)
    columns = {name: table.column(name) for name in ("id", *texts)} | {problems.COLUMN: problems.of(table)}
    for name, values in labels.items():
        columns[name] = null_where_not(values, sound)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def with_problems(table: pa.Table, found: Mapping[int, Problem]) -> pa.Table:
    """The table with these problems, by position, on rows that had none."""
    if not found:
        return table
    later = [found.get(row) for row in range(table.num_rows)]
    merged = problems.first_of_each(problems.of(table), later)
    if problems.COLUMN not in table.column_names:
        return table.append_column(problems.COLUMN, merged)
    return table.set_column(table.column_names.index(problems.COLUMN), problems.COLUMN, merged)


def _is_blank(texts: pa.Array) -> pa.BooleanArray:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), fill_value=True)


def _empty_text(row_id: str, _: object, *, column: str) -> Problem:
    which = "the text" if column == "text" else f"the second text ({column})"
    message = f"{row_id}: {which} is empty; fill it in or remove the row"
    return problems.at(row_id, stage=STAGE, kind="empty text", message=message)

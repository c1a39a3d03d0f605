"""Text rows whose labels come from a user's function instead of a label list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.dicts_to_samples.text import assemble, mark_empty_texts, with_problems
from farm_ray.data_handler.sample_columns import TEXT_B, as_dict
from farm_ray.tasks.label_problems import labels_row_by_row

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from farm_ray.data_handler.given_rows import Row, RowDict
    from farm_ray.tasks.task import Tasks

DICTIONARY = "dictionary"
"""Column of dicts tables with the whole dict as JSON, so that the function may read any key of it."""


def user_label_samples(
    dicts: pa.Table,
    *,
    tasks: Tasks,
    convert: Callable[[RowDict], Row],
) -> pa.Table:
    """As `text_samples`, with labels from `convert`.

    Args:
        dicts: Columns id, text (and text_b), labels, problem, and `dictionary` where rows came as dicts.
        tasks: Whose labels to make.
        convert: From one row's dict to the numbers per `label_tensor_name`; what it raises becomes the row's problem.
    """
    table = mark_empty_texts(dicts)
    rows = rows_of(dicts)
    labels: dict[str, pa.Array] = {}
    for task in tasks.values():
        name = task.label_tensor_name
        labels[name], found = labels_row_by_row(table, task, lambda row: convert(rows[row])[name])  # noqa: B023
        table = with_problems(table, found)
    return assemble(table, labels, tasks)


def rows_of(dicts: pa.Table) -> list[dict[str, object]]:
    """The rows of a dicts table as FARM's dicts: as they were given, or by column where they come from a file."""
    if DICTIONARY in dicts.column_names:
        pairs = TEXT_B in dicts.column_names
        return [_of_json(row, pairs=pairs) for row in one_array(dicts.column(DICTIONARY)).to_pylist()]
    return [as_dict(row) for row in dicts.drop_columns([problems.COLUMN]).to_pylist()]


def _of_json(row: str, *, pairs: bool) -> dict[str, object]:
    """The dict that was written; JSON has no tuples, and a pair of texts is one."""
    read: RowDict = json.loads(row)
    text = read.get("text")
    return {**read, "text": tuple(text)} if pairs and isinstance(text, list) else read

"""What a sample is: the columns of the samples table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler.problems import COLUMN, PROBLEM

if TYPE_CHECKING:
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.tasks.task import Tasks

ID_KEYS = ("example_id", "external_id", "doc_id", "id")
"""Where data brings ids of its own, the first that is there counts."""

EXTERNAL_ID = "external_id"
"""Column of tables of dicts read from files for inference: the id a row brings along, null where it brings none. `id`
stays file and line, which are unique and say where a problem is."""

TEXT_B = "text_b"
"""Column of the second text, in tables whose rows are pairs of texts."""


def text_schema(tasks: Tasks, *, pairs: bool = False) -> pa.Schema:
    """Samples of text tasks: id, text, with `pairs` text_b, labels per task (null beside a problem), problem."""
    texts = [(name, pa.string()) for name in ("id", "text", *((TEXT_B,) if pairs else ()))]
    labels = [pa.field(task.label_tensor_name, task.label_type()) for task in tasks.values()]
    return pa.schema([*texts, *labels, (COLUMN, PROBLEM)])


def as_dict(row: RowDict) -> RowDict:
    """A row of a table of dicts as FARM's dict: a pair of texts is a tuple under `text`."""
    return {**row, "text": (row["text"], row[TEXT_B])} if TEXT_B in row else row

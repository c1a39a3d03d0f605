"""What regression tasks need to know of the training data: mean and scale of their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from farm_ray.data_handler import problems
from farm_ray.data_handler.dicts_to_samples.text import mark_empty_texts
from farm_ray.data_handler.samples import TEXT_B
from farm_ray.data_handler.scaling import Numbers, measure, read_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from farm_ray.data_handler.processor.tasks import Task


def without_texts(table: pa.Table) -> pa.Table:
    """A table of arrow 1 with all that `with_scaling` reads of it: the texts are gone, the empty ones are problems."""
    marked = mark_empty_texts(table)
    return marked.drop_columns([name for name in ("text", TEXT_B) if name in marked.column_names])


def with_scaling(tasks: dict[str, Task], tables: Iterable[pa.Table]) -> dict[str, Task]:
    """The tasks, regressions that have no mean and scale with those of their labels in the tables.

    Rows count that have a text and no problem, and of these the labels that are finite numbers. Without any the mean
    is 0 and the scale 1.

    Args:
        tasks: As `Processor.tasks` holds them.
        tables: From arrow 1, with or without texts; read only where a task needs it.

    Returns:
        `tasks` itself where none needs it.
    """
    unmeasured = {name: task for name, task in tasks.items() if task["task_type"] == "regression"}
    unmeasured = {name: task for name, task in unmeasured.items() if not task["label_list"]}
    if not unmeasured:
        return tasks
    seen: dict[str, list[Numbers]] = {name: [] for name in unmeasured}
    for table in tables:
        sound = problems.sound(mark_empty_texts(table))
        for name, task in unmeasured.items():
            numbers = read_numbers(table.column(task["label_name"]).filter(sound).to_pylist())
            seen[name].append(numbers[np.isfinite(numbers)])
    scaling = {name: list(measure(np.concatenate([*numbers, []]))) for name, numbers in seen.items()}
    return {**tasks, **{name: {**task, "label_list": scaling[name]} for name, task in unmeasured.items()}}

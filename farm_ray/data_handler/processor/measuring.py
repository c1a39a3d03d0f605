"""What tasks need to know of the training data: mean and scale of regressions, and labels that no list names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from farm_ray.data_handler import problems
from farm_ray.data_handler.dicts_to_samples.text import mark_empty_texts
from farm_ray.data_handler.label_cells import is_ambiguous
from farm_ray.data_handler.processor.found_labels import ColumnLabels, OneLabel, SeveralLabels, Tags
from farm_ray.data_handler.samples import TEXT_B
from farm_ray.data_handler.scaling import Numbers, measure, read_numbers
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from farm_ray.data_handler.processor.tasks import Task


def without_texts(table: pa.Table) -> pa.Table:
    """A table of stage 1 with all that `measured_tasks` reads of it: the texts are gone, empty ones are problems."""
    marked = mark_empty_texts(table)
    return marked.drop_columns([name for name in ("text", TEXT_B) if name in marked.column_names])


def measured_tasks(tasks: dict[str, Task], tables: Iterable[pa.Table]) -> dict[str, Task]:
    """The tasks with what they lack, from their labels in the tables.

    Rows count that have a text and no problem. A regression gets mean and scale of the labels that are finite numbers;
    without any the mean is 0 and the scale 1. Other tasks get all labels that occur, sorted; tags begin with `O`. With
    several labels per row they get `multi_hot` too: whether cells hold zeros and ones for them.

    Args:
        tasks: As `Processor.tasks` holds them.
        tables: From stage 1, with or without texts; read only where a task needs it.

    Returns:
        `tasks` itself where none lacks anything.

    Raises:
        DataProblemError: When a column does not hold labels, or holds ones that cannot be told apart for sure.
    """
    gathered = {name: found for name, task in tasks.items() if (found := _gatherer(name, task)) is not None}
    if not gathered:
        return tasks
    valid, first_problem = 0, None
    for table in tables:
        marked = mark_empty_texts(table)
        sound = problems.sound(marked)
        ids = table.column("id").filter(sound)
        for name, found in gathered.items():
            found.add(table.column(tasks[name]["label_name"]).filter(sound), ids)
        valid += len(ids)
        first_problem = first_problem or next(filter(None, problems.of(marked).to_pylist()), None)
    if first_problem and not valid and lacking_labels(tasks):
        raise DataProblemError(f"no training row is valid: {first_problem['message']}")
    return {**tasks, **{name: {**tasks[name], **found.fields()} for name, found in gathered.items()}}


def lacking_labels(tasks: Mapping[str, Task]) -> list[str]:
    """Names of the tasks whose labels are not known yet."""
    return [
        name
        for name, task in tasks.items()
        if not task["label_list"] and task["task_type"] in {*_OF_LABELS, "multilabel_classification"}
    ]


_OF_LABELS: Mapping[str, type[ColumnLabels]] = {"classification": OneLabel, "token_classification": Tags}


def _gatherer(name: str, task: Task) -> ColumnLabels | _Scaling | None:
    kind, labels = task["task_type"], task["label_list"]
    if kind == "multilabel_classification" and (not labels or (is_ambiguous(labels) and "multi_hot" not in task)):
        return SeveralLabels(name, task)
    if labels:
        return None
    if kind == "regression":
        return _Scaling()
    return _OF_LABELS[kind](name, task) if kind in _OF_LABELS else None


class _Scaling:
    """Mean and scale of numbers."""

    def __init__(self) -> None:
        self._numbers: list[Numbers] = []

    def add(self, labels: pa.ChunkedArray, ids: pa.ChunkedArray) -> None:  # noqa: ARG002 - numbers need no names
        """Takes in the finite numbers."""
        numbers = read_numbers(labels.to_pylist())
        self._numbers.append(numbers[np.isfinite(numbers)])

    def fields(self) -> dict[str, Any]:
        """Mean and scale, in the place of a label list."""
        return {"label_list": list(measure(np.concatenate([*self._numbers, []])))}

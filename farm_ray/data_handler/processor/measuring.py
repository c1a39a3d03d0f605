"""What tasks need to know of the training data: mean and scale of regressions, and labels that no list names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.data_handler import problems
from farm_ray.data_handler.dicts_to_samples.text import mark_empty_texts
from farm_ray.data_handler.sample_columns import TEXT_B
from farm_ray.errors import DataProblemError
from farm_ray.tasks.task import lacking_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from farm_ray.tasks.task import Task


def without_texts(table: pa.Table) -> pa.Table:
    """A table of stage 1 with all that `measured_tasks` reads of it: the texts are gone, empty ones are problems."""
    marked = mark_empty_texts(table)
    return marked.drop_columns([name for name in ("text", TEXT_B) if name in marked.column_names])


def measured_tasks(tasks: dict[str, Task], tables: Iterable[pa.Table]) -> dict[str, Task]:
    """The tasks with what they lack, from their labels in the tables, as each kind of task says.

    Rows count that have a text and no problem.

    Args:
        tasks: As `Processor.tasks` holds them.
        tables: From stage 1, with or without texts; read only where a task needs it.

    Returns:
        `tasks` itself where none lacks anything.

    Raises:
        DataProblemError: When a column does not hold labels, or holds ones that cannot be told apart for sure.
    """
    learning = {name: found for name, task in tasks.items() if (found := task.labels.learned(name, task)) is not None}
    if not learning:
        return tasks
    valid, first_problem = 0, None
    for table in tables:
        marked = mark_empty_texts(table)
        are_valid = problems.sound(marked)
        ids = table.column("id").filter(are_valid)
        for name, found in learning.items():
            found.add(table.column(tasks[name].label_name).filter(are_valid), ids)
        valid += len(ids)
        first_problem = first_problem or next(filter(None, problems.of(marked).to_pylist()), None)
    if first_problem and not valid and lacking_labels(tasks):
        raise DataProblemError(
            f"no training row is valid: {first_problem['message']}",
            code="no-usable-rows",
            kind=first_problem["kind"],
            file=first_problem["file"],
            row=first_problem["line"],
        )
    return {**tasks, **{name: tasks[name].changed(**found.fields()) for name, found in learning.items()}}

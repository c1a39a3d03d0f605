"""Rows whose label is missing or invalid: their problems, each with a hint."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import one_array
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from farm_ray.data_handler.problems import Problem
    from farm_ray.tasks.task import Task

STAGE = "dicts_to_samples"
_DIGITS = 5
"""Of numbers that are no place in a label list."""
_MOST_SHOWN = 20


def problems_where(
    dicts: pa.Table,
    where: pa.BooleanArray,
    tell: Callable[[str, Any], Problem],
    values: pa.Array | None = None,
) -> dict[int, Problem]:
    """Problems of the rows marked in `where` that had none, by position.

    Args:
        dicts: Columns id and problem.
        where: Which rows, [rows].
        tell: Called with a row's id and its value.
        values: What `tell` gets beside the id, [rows]; None stands for None.
    """
    marked = pc.and_(where, problems.sound(dicts))
    rows = np.flatnonzero(marked.to_numpy(zero_copy_only=False)).tolist()
    ids = dicts.column("id")
    return {row: tell(ids[row].as_py(), None if values is None else values[row].as_py()) for row in rows}


def labels_row_by_row(
    dicts: pa.Table, task: Task, convert: Callable[[int], Sequence[object]]
) -> tuple[pa.FixedSizeListArray, dict[int, Problem]]:
    """Labels from a function of the row's position; what it raises, or a wrong length, is that row's problem."""
    kind = task.label_type()
    empty = [0] * kind.list_size
    found: dict[int, Problem] = {}
    lists: list[Sequence[object]] = []
    row_ids = one_array(dicts.column("id")).to_pylist()
    for row, is_sound in enumerate(problems.sound(dicts).to_pylist()):
        try:
            values = list(convert(row)) if is_sound else empty
            lists.append(pa.array([values], kind).to_pylist()[0])
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            lists.append(empty)
            found[row] = _not_converted(row_ids[row], error, task)
    return pa.array(lists, kind), found


def missing_label(row_id: str, task: Task) -> Problem:
    """A row without a label."""
    message = f'{row_id}: no label in column "{task.column}"; fill it in or remove the row'
    return problems.at(row_id, stage=STAGE, kind="missing label", message=message)


def unknown_label(row_id: str, label: str, task: Task, hint: str) -> Problem:
    """A label that is not in the label list."""
    message = (
        f'{row_id}: label "{problems.shorten(label)}" is not in label_list {shown_labels(task.label_list)}; {hint}'
    )
    return problems.at(row_id, stage=STAGE, kind="unknown label", message=message, value=label)


def hint_for(label: str, known: Sequence[str]) -> str:
    """What to do about a label that is not among the known ones."""
    if label.isdecimal() and len(label) < _DIGITS and int(label) < len(known) and not any(map(str.isdecimal, known)):
        return f'labels are looked up by name, not by place: write "{known[int(label)]}" if {label} stands for it'
    alike = [one for one in known if one.strip().casefold() == label.strip().casefold()]
    near = alike or difflib.get_close_matches(label, known, n=1)
    meant = f' (did you mean "{near[0]}"?)' if near else ""
    return f"correct the row{meant} or add the label to label_list"


def unknown_labels(task: Task) -> str:
    """What to do where a task has no label list yet."""
    return (
        f"the labels in {task.label_name} are not known: a DataSilo takes them from its training data for its own "
        "processor (silo.processor), or give label_list"
    )


def shown_labels(labels: Sequence[Any]) -> str:
    """A label list for messages: at most the first twenty."""
    first = ", ".join(map(str, labels[:_MOST_SHOWN]))
    return f"[{first}]" if len(labels) <= _MOST_SHOWN else f"[{first}, ... {len(labels)} labels]"


def _not_converted(row_id: str, error: Exception, task: Task) -> Problem:
    reason = str(error) if isinstance(error, DataProblemError) else f"{type(error).__name__}: {error}"
    message = f"{row_id}: the label in {task.label_name} cannot be converted ({reason}); correct the row"
    return problems.at(row_id, stage=STAGE, kind="bad label", message=message)

"""What makes units alike for stratification: their labels as columns of whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from farm_ray.tasks.label_problems import shown_labels

if TYPE_CHECKING:
    from farm_ray.data_handler.data_silo.folds import Strata
    from farm_ray.data_handler.data_silo.pooling import Units
    from farm_ray.tasks.task import Task, Tasks


def label_columns(units: Units, tasks: Tasks, *, n_parts: int) -> Strata | None:
    """The labels of each unit, [u, m], as each kind of task says; None where no task has labels to stratify by.

    Args:
        units: What will be dealt.
        tasks: The processor's tasks.
        n_parts: How many parts the units will be dealt into.
    """
    columns = [task.labels.strata(units, task, n_parts=n_parts) for task in tasks.values() if _are_there(units, task)]
    filled = [one for one in columns if one.shape[1]]
    return np.concatenate(filled, axis=1) if filled else None


def rare_labels(units: Units, tasks: Tasks, *, n_parts: int) -> list[str]:
    """A warning for each task that has labels which occur in fewer units than there will be parts."""
    told = []
    for name, task in tasks.items():
        counts = task.labels.units_per_label(units, task) if _are_there(units, task) else {}
        rare = [f"{label} ({count})" for label, count in counts.items() if 0 < count < n_parts]
        if rare:
            told.append(
                f"task {name}: the labels {shown_labels(rare)} have fewer rows than the {n_parts} folds, so some folds "
                "cannot test them; add rows with them, or give a smaller n_splits"
            )
    return told


def _are_there(units: Units, task: Task) -> bool:
    return task.label_tensor_name in units.rows.table.column_names

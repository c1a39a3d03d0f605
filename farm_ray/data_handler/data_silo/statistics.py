"""Counts, lengths and class weights of what a silo holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.tasks.label_problems import shown_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.tasks.labels import Counts
    from farm_ray.tasks.task import Task, Tasks

_MUCH_CLIPPED = 0.5


def describe(sets: Mapping[str, FeatureSet | None], *, batch_size: int) -> dict[str, float]:
    """FARM's statistics: rows per set, tokens per training row (longest, average), share cut at `max_seq_len`."""
    facts: dict[str, float] = {f"n_samples_{name}": 0 if rows is None else len(rows) for name, rows in sets.items()}
    facts["n_samples"] = sum(facts.values())
    facts["batch_size"] = batch_size
    train = sets.get("train")
    if train is not None and len(train):
        clipped = train.table.column("clipped").take(pa.array(train.rows)).to_numpy()
        facts["max_seq_len_seen"] = int(train.lengths.max())
        facts["ave_seq_len"] = float(train.lengths.mean())
        facts["clipped"] = float(clipped.mean())
    return facts


def clipping_tip(facts: Mapping[str, float], *, max_seq_len: int) -> str | None:
    """Advice when more than half of the training rows lose their end."""
    if facts.get("clipped", 0.0) <= _MUCH_CLIPPED:
        return None
    return (
        f"{facts['clipped']:.0%} of the training rows are longer than max_seq_len={max_seq_len} and lose their end; "
        "a larger max_seq_len keeps it, at more time and memory per step"
    )


def class_weights(counts: Counts) -> npt.NDArray[np.float32]:
    """Balanced weights in the order of the label list, [classes].

    `weight = n / (classes * count)` over the observed labels plus one of each class, so that a class that never
    occurs gets a large but finite weight.

    Args:
        counts: Occurrences of each label, [classes].
    """
    smoothed = counts + 1
    return (smoothed.sum() / (len(smoothed) * smoothed)).astype(np.float32)


def check_label_variety(train: FeatureSet, tasks: Tasks) -> None:
    """Raises DataProblemError when all training rows of a task have the same label (labels, number, tag)."""
    for name, task in tasks.items():
        same = task.labels.shared_by_all(train, task) if _has_labels(train, task) else None
        if same is not None:
            what, need = same
            raise DataProblemError(
                f'task {name}: all {len(train)} training rows have {what} in column "{task.column}"; {need}',
                code="single-label",
                column=task.column,
                task=name,
            )


def labels_without_rows(sets: Mapping[str, FeatureSet | None], tasks: Tasks) -> list[str]:
    """A warning for each classification that has labels which occur in no training row; names those in dev or test."""
    told = []
    for name, task in tasks.items():
        if not task.labels.named:
            continue
        counts = {
            set_name: task.labels.counts(rows, task) for set_name, rows in sets.items() if _has_labels(rows, task)
        }
        if "train" not in counts:
            continue
        in_train, in_all = counts["train"], np.sum(list(counts.values()), axis=0)
        missing = {
            str(label): int(in_all[place])
            for place, label in enumerate(task.label_list)
            if not in_train[place] and label not in task.labels.not_in_data
        }
        if missing:
            asked = [label for label, count in missing.items() if count]
            elsewhere = f" (dev or test hold {shown_labels(asked)})" if asked else ""
            told.append(
                f"task {name}: the labels {shown_labels(list(missing))} have no training row, so the model cannot "
                f"learn them{elsewhere}; add rows with them, or take them out of label_list"
            )
    return told


def _has_labels(rows: FeatureSet | None, task: Task) -> TypeGuard[FeatureSet]:
    return rows is not None and task.label_tensor_name in rows.table.column_names


def task_of(tasks: Tasks, name: str) -> Task:
    """The task with this name; ConfigError names those there are."""
    if name not in tasks:
        raise ConfigError(f'no task "{name}"; the processor has: {", ".join(tasks)}', code="unknown-task", value=name)
    return tasks[name]

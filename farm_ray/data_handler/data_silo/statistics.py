"""Counts, lengths and class weights of what a silo holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.data_handler.input_features import shown_labels
from farm_ray.errors import ConfigError, DataProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.batches import FeatureSet

_MUCH_CLIPPED = 0.5
_CLASSIFICATIONS = ("classification", "multilabel_classification")


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


def class_weights(labels: npt.NDArray[Any], n_classes: int) -> npt.NDArray[np.float32]:
    """Balanced weights in the order of the label list, [classes].

    `weight = n / (classes * count)` over the observed labels plus one of each class, so that a class that never
    occurs gets a large but finite weight.

    Args:
        labels: Class ids [n, 1], or multi-hot rows [n, classes] in which every active label counts once.
        n_classes: Length of the label list.
    """
    multi_hot = labels.ndim == 2 and labels.shape[1] > 1  # noqa: PLR2004 - a matrix
    observed = labels.sum(axis=0) if multi_hot else np.bincount(labels.astype(np.int64).ravel(), minlength=n_classes)
    counts = observed + 1
    return (counts.sum() / (n_classes * counts)).astype(np.float32)


def check_label_variety(train: FeatureSet, tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises DataProblemError when a single-label task has only one class in the training rows."""
    for name, task in tasks.items():
        tensor = task["label_tensor_name"]
        if task.get("task_type") != "classification" or tensor not in train.table.column_names:
            continue
        seen = np.unique(train.column(tensor))
        if len(seen) < 2:  # noqa: PLR2004 - a choice needs two
            label = task["label_list"][int(seen[0])]
            column = task.get("label_column_name") or task["label_name"]
            raise DataProblemError(
                f'task {name}: all {len(train)} training rows have the same label "{label}" in column "{column}"; '
                "a classifier needs at least two classes",
                value=label,
                task=name,
            )


def labels_without_rows(train: FeatureSet, tasks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A warning for each classification that has labels which occur in no training row."""
    told = []
    for name, task in tasks.items():
        tensor = task["label_tensor_name"]
        if task.get("task_type") not in _CLASSIFICATIONS or tensor not in train.table.column_names:
            continue
        labels = train.column(tensor)
        several = task["task_type"] == "multilabel_classification"
        seen = set((np.flatnonzero(labels.any(axis=0)) if several else np.unique(labels)).tolist())
        missing = [label for place, label in enumerate(task["label_list"]) if place not in seen]
        if missing:
            told.append(
                f"task {name}: the labels {shown_labels(missing)} have no training row, so the model cannot learn "
                "them; add rows with them, or take them out of label_list"
            )
    return told


def task_of(tasks: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The task with this name; ConfigError names those there are."""
    if name not in tasks:
        raise ConfigError(f'no task "{name}"; the processor has: {", ".join(tasks)}')
    return tasks[name]

"""Counts, lengths and class weights of what a silo holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.data_handler.input_features import shown_labels
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.tag_schemes import NO_TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.batches import FeatureSet

Counts = npt.NDArray[np.int64]
"""Occurrences of each label, [classes]."""

_MUCH_CLIPPED = 0.5
_CHOICE = 2
_MULTILABEL, _REGRESSION, _TOKENS = "multilabel_classification", "regression", "token_classification"
_CLASSIFICATIONS = ("classification", _MULTILABEL, _TOKENS)


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


def label_counts(rows: FeatureSet, task: Mapping[str, Any]) -> Counts:
    """How often each label of a classification occurs, in the order of the label list, [classes].

    One label per row counts rows, several labels every active one, and tags all tokens that the loss sees: where
    pieces inside a word have the label X, these too. Ids outside of the label list are none.
    """
    labels, n_classes = task["label_tensor_name"], len(task["label_list"])
    if task.get("task_type") == _TOKENS:
        ids = rows.values(labels)
    else:
        column = rows.column(labels)
        if task.get("task_type") == _MULTILABEL or column.shape[-1] > 1:
            return column.sum(axis=0).astype(np.int64)
        ids = column.ravel()
    return np.bincount(ids[(ids >= 0) & (ids < n_classes)].astype(np.int64), minlength=n_classes)


def class_weights(counts: Counts) -> npt.NDArray[np.float32]:
    """Balanced weights in the order of the label list, [classes].

    `weight = n / (classes * count)` over the observed labels plus one of each class, so that a class that never
    occurs gets a large but finite weight.

    Args:
        counts: Occurrences of each label, [classes].
    """
    smoothed = counts + 1
    return (smoothed.sum() / (len(smoothed) * smoothed)).astype(np.float32)


def check_label_variety(train: FeatureSet, tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises DataProblemError when all training rows of a task have the same label (labels, number, tag)."""
    for name, task in tasks.items():
        same = _what_all_share(train, task) if _has_labels(train, task) else None
        if same is not None:
            what, need = same
            column = task.get("label_column_name") or task["label_name"]
            raise DataProblemError(
                f'task {name}: all {len(train)} training rows have {what} in column "{column}"; {need}', task=name
            )


def _what_all_share(train: FeatureSet, task: Mapping[str, Any]) -> tuple[str, str] | None:
    """What it is that all rows share, and what is needed; None where rows differ."""
    kind, label_list = task.get("task_type"), list(task["label_list"])
    if kind == _REGRESSION:
        numbers = train.column(task["label_tensor_name"])
        mean, scale = label_list or (0.0, 1.0)
        what = f"the same number {float(numbers[0, 0]) * scale + mean:g}"
        return (what, "a regression needs numbers that differ") if np.ptp(numbers) == 0 else None
    if kind not in _CLASSIFICATIONS:
        return None
    counts = label_counts(train, task)
    seen = [str(label_list[place]) for place in np.flatnonzero(counts)]
    if kind == _MULTILABEL:
        constant = set(counts.tolist()) <= {0, len(train)}
        what = f'the same labels "{",".join(seen)}"' if seen else "no label"
        return (what, "a classifier needs rows that differ") if constant else None
    if kind == _TOKENS:
        tags = [tag for tag in seen if tag not in NO_TAGS]
        what = f'only the tag "{tags[0]}"' if tags else "no tags"
        return (what, "a tagger needs at least two") if len(tags) < _CHOICE else None
    what = f'the same label "{", ".join(seen)}"'
    return (what, "a classifier needs at least two classes") if len(seen) < _CHOICE else None


def labels_without_rows(sets: Mapping[str, FeatureSet | None], tasks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A warning for each classification that has labels which occur in no training row; names those in dev or test."""
    told = []
    for name, task in tasks.items():
        if task.get("task_type") not in _CLASSIFICATIONS:
            continue
        counts = {set_name: label_counts(rows, task) for set_name, rows in sets.items() if _has_labels(rows, task)}
        if "train" not in counts:
            continue
        none = NO_TAGS if task["task_type"] == _TOKENS else ()
        in_train, in_all = counts["train"], np.sum(list(counts.values()), axis=0)
        missing = {
            str(label): int(in_all[place])
            for place, label in enumerate(task["label_list"])
            if not in_train[place] and label not in none
        }
        if missing:
            asked = [label for label, count in missing.items() if count]
            elsewhere = f" (dev or test hold {shown_labels(asked)})" if asked else ""
            told.append(
                f"task {name}: the labels {shown_labels(list(missing))} have no training row, so the model cannot "
                f"learn them{elsewhere}; add rows with them, or take them out of label_list"
            )
    return told


def _has_labels(rows: FeatureSet | None, task: Mapping[str, Any]) -> TypeGuard[FeatureSet]:
    return rows is not None and task["label_tensor_name"] in rows.table.column_names


def task_of(tasks: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The task with this name; ConfigError names those there are."""
    if name not in tasks:
        raise ConfigError(f'no task "{name}"; the processor has: {", ".join(tasks)}')
    return tasks[name]

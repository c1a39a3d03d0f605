"""What makes units alike for stratification: their labels as columns of numbers, by the type of each task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from farm_ray.data_handler.input_features import shown_labels
from farm_ray.tag_schemes import NO_TAGS, OUTSIDE, hyphenated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.batches import Positions
    from farm_ray.data_handler.data_silo.folds import Strata
    from farm_ray.data_handler.data_silo.pooling import Units

_TOKENS = "token_classification"
_MOST_BINS = 10
_NO_ENTITIES = frozenset({OUTSIDE, *NO_TAGS})


def label_columns(units: Units, tasks: Mapping[str, Mapping[str, Any]], *, n_parts: int) -> Strata | None:
    """The labels of each unit, [u, m]; None where no task has labels to stratify by.

    One label: its id. Several labels: a column of zeros and ones for each. Regression: the number of the quantile
    bin, of at most ten bins with at least `n_parts` units each. Tags of tokens: a column for each type of entity, 1
    where the unit has one.

    Args:
        units: What will be dealt.
        tasks: The processor's tasks.
        n_parts: How many parts the units will be dealt into.
    """
    known = [task for task in tasks.values() if task["label_tensor_name"] in units.rows.table.column_names]
    columns = [_columns_of(task, units, n_parts) for task in known]
    filled = [one for one in columns if one.shape[1]]
    return np.concatenate(filled, axis=1) if filled else None


def rare_labels(units: Units, tasks: Mapping[str, Mapping[str, Any]], *, n_parts: int) -> list[str]:
    """A warning for each task that has labels which occur in fewer units than there will be parts."""
    told = []
    for name, task in tasks.items():
        rare = [f"{label} ({count})" for label, count in _counts(task, units).items() if 0 < count < n_parts]
        if rare:
            told.append(
                f"task {name}: the labels {shown_labels(rare)} have fewer rows than the {n_parts} folds, so some folds "
                "cannot test them; add rows with them, or give a smaller n_splits"
            )
    return told


def _columns_of(task: Mapping[str, Any], units: Units, n_parts: int) -> Strata:
    if task.get("task_type") == _TOKENS:
        return _entities(task, units)[1].astype(np.int64)
    values = _values(task, units)
    if values.dtype.kind == "f":
        return np.stack([_bins(column, n_parts) for column in values.T], axis=1)
    return values.astype(np.int64)


def _values(task: Mapping[str, Any], units: Units) -> npt.NDArray[Any]:
    """The labels of each unit as they are in the features, [u, k]."""
    return units.rows.subset(units.first_rows).column(task["label_tensor_name"]).reshape(len(units), -1)


def _bins(values: npt.NDArray[Any], n_parts: int) -> Positions:
    bins = max(1, min(_MOST_BINS, len(values) // n_parts))
    borders = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    return np.searchsorted(borders, values, side="right")


def _counts(task: Mapping[str, Any], units: Units) -> dict[str, int]:
    """Units per label, or per type of entity; none for labels that are numbers."""
    kind, labels = task.get("task_type"), list(task["label_list"])
    if task["label_tensor_name"] not in units.rows.table.column_names:
        return {}
    if kind == _TOKENS:
        types, present = _entities(task, units)
        return dict(zip(types, present.sum(axis=0).tolist(), strict=True))
    if kind == "multilabel_classification":
        return dict(zip(labels, _values(task, units).sum(axis=0).tolist(), strict=True))
    if kind == "classification":
        return dict(zip(labels, np.bincount(_values(task, units).ravel(), minlength=len(labels)).tolist(), strict=True))
    return {}


def _entities(task: Mapping[str, Any], units: Units) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """The types of entities (PER for B-PER and I-PER), and which of them each unit has, [u, types]."""
    labels = [str(label) for label in task["label_list"]]
    spelled = hyphenated(labels)
    type_of_label = [_entity_type(spelled[label]) for label in labels]
    types = list(dict.fromkeys(one for one in type_of_label if one is not None))
    # One more column takes all other tags.
    column_of_label = np.array([len(types) if one is None else types.index(one) for one in type_of_label])
    present = np.zeros((len(units), len(types) + 1), np.bool_)
    unit_of_table_row = np.full(units.rows.table.num_rows, -1)
    unit_of_table_row[units.rows.rows] = units.of_row
    start = 0
    for chunk in units.rows.table.column(task["label_tensor_name"]).chunks:
        tags = pc.list_flatten(chunk).to_numpy(zero_copy_only=False)
        unit = unit_of_table_row[start + pc.list_parent_indices(chunk).to_numpy(zero_copy_only=False)]
        counts = (tags >= 0) & (unit >= 0)
        present[unit[counts], column_of_label[tags[counts]]] = True
        start += len(chunk)
    return types, present[:, :-1]


def _entity_type(label: str) -> str | None:
    if label in _NO_ENTITIES:
        return None
    return label[2:] if label[:2] in {"B-", "I-"} else label

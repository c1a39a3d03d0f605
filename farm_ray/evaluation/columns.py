"""Columns of predictions and labels: one entry per row, which is one value or a list of values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

Column = Sequence[Any] | npt.NDArray[Any]
IntArray = npt.NDArray[np.int64]


def flat(column: Column) -> list[Any]:
    """All values, one after the other, out of however deep lists."""
    if isinstance(column, np.ndarray) and column.dtype != object:
        return column.ravel().tolist()
    if not any(issubclass(kind, list | tuple | np.ndarray) for kind in set(map(type, column))):
        return list(column)
    nested = (entry if is_list(entry) else [entry] for entry in column)
    return list(chain.from_iterable(map(flat, nested)))


def row_of_value(column: Column) -> IntArray:
    """For each of the values that `flat` gives the row it is from, [values]."""
    return np.repeat(np.arange(len(column)), [_size(entry) for entry in column])


def check_lengths(preds: Column, labels: Column) -> None:
    """Raises AssertionError when there are more values in one column, or in one of its rows, than in the other."""
    nested = len(preds) > 0 and is_list(preds[0])
    for row, (pred, label) in enumerate(zip(preds, labels, strict=False) if nested else ()):
        if _size(pred) != _size(label):
            raise AssertionError(f"row {row} has {_size(pred)} predictions but {_size(label)} labels")
    n_preds, n_labels = sum(map(_size, preds)), sum(map(_size, labels))
    if n_preds != n_labels:
        raise AssertionError(f"{n_preds} predictions but {n_labels} labels")


def is_list(entry: object) -> bool:
    """Whether a row's entry is several values."""
    return isinstance(entry, list | tuple | np.ndarray)


def _size(entry: Any) -> int:
    if isinstance(entry, np.ndarray) and entry.dtype != object:
        return entry.size
    return sum(map(_size, entry)) if is_list(entry) else 1

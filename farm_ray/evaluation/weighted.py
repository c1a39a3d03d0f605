"""The built-in metrics of columns in which every row counts as often as its weight says.

A resample of rows is a weight per row, how often it was drawn. What a metric needs to know of the rows is computed
once; each resample then costs some sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray.evaluation.classification import (
    acc_and_f1,
    both_multi_hot,
    encode,
    f1_macro,
    f1_micro,
    mcc,
    positive_id,
    simple_accuracy,
)
from farm_ray.evaluation.columns import Column, row_of_value
from farm_ray.evaluation.multilabel import exact_match, f1_samples, rows_right
from farm_ray.evaluation.regression import mse, numbers, pearson_and_spearman, r2
from farm_ray.evaluation.tokens import entity_counts, seq_f1, seq_precision, seq_recall

if TYPE_CHECKING:
    from farm_ray.evaluation.metric import Metric

FloatArray = npt.NDArray[np.float64]
Counted = FloatArray | float
"""One count, or one per label."""
Weighted = Callable[[FloatArray], dict[str, float]]
"""From weights, whole numbers [rows], to the values of a metric."""
_Counts = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
"""From weights to how often each label is right, predicted and true, [labels] each."""

_NAN = float("nan")


def weighted(metric: Metric | None, preds: Column, labels: Column) -> Weighted | None:
    """The built-in metric `metric` as a function of weights; None for other metrics."""
    make = next((make for fn, make in _MAKE.items() if fn is metric), None)
    return None if make is None else make(preds, labels)


def _accuracy(preds: Column, labels: Column) -> Weighted:
    right, values = _right_and_all(preds, labels)
    return lambda weights: {"acc": _ratio(weights @ right, weights @ values)}


def _acc_and_f1(preds: Column, labels: Column) -> Weighted:
    right, values = _right_and_all(preds, labels)
    counts, names = _counts_of_ids(preds, labels)
    positive = positive_id(names, None) if names else -1

    def of(weights: FloatArray) -> dict[str, float]:
        acc = _ratio(weights @ right, weights @ values)
        f1 = float(_f1(*counts(weights))[positive]) if positive >= 0 else 0.0
        return {"acc": acc, "f1": f1, "acc_and_f1": (acc + f1) / 2}

    return of


def _f1_macro(preds: Column, labels: Column) -> Weighted:
    multi_hot, counts = _counts(preds, labels)

    def of(weights: FloatArray) -> dict[str, float]:
        right, found, true = counts(weights)
        seen = slice(None) if multi_hot else found + true > 0
        return {"f1_macro": float(np.mean(_f1(right, found, true)[seen]))}

    return of


def _f1_micro(preds: Column, labels: Column) -> Weighted:
    _, counts = _counts(preds, labels)
    return lambda weights: {"f1_micro": float(_f1(*(count.sum() for count in counts(weights))))}


def _mcc(preds: Column, labels: Column) -> Weighted:
    counts, _ = _counts_of_ids(preds, labels)

    def of(weights: FloatArray) -> dict[str, float]:
        right, found, true = counts(weights)
        values = true.sum()
        spread = (values**2 - found @ found) * (values**2 - true @ true)
        return {"mcc": float((right.sum() * values - found @ true) / np.sqrt(spread)) if spread else 0.0}

    return of


def _f1_samples(preds: Column, labels: Column) -> Weighted:
    grids = both_multi_hot(preds, labels)
    assert grids is not None, "the metric itself was computed before"
    found, true = grids
    sizes = found.sum(axis=1) + true.sum(axis=1)
    of_row = np.where(sizes == 0, 1.0, 2 * (found & true).sum(axis=1) / np.maximum(sizes, 1))
    return lambda weights: {"f1_samples": _mean(of_row, weights)}


def _exact_match(preds: Column, labels: Column) -> Weighted:
    right = rows_right(preds, labels).astype(np.float64)
    return lambda weights: {"exact_match": _mean(right, weights)}


def _mse(preds: Column, labels: Column) -> Weighted:
    found, true = numbers(preds, labels, metric="mse")
    errors = (found - true) ** 2
    return lambda weights: {"mse": _mean(errors, weights)}


def _r2(preds: Column, labels: Column) -> Weighted:
    found, true = numbers(preds, labels, metric="r2")
    errors = (found - true) ** 2

    def of(weights: FloatArray) -> dict[str, float]:
        if np.ptp(true[weights > 0]) == 0:
            return {"r2": _NAN}
        spread = (true - _mean(true, weights)) ** 2
        return {"r2": 1.0 - float(weights @ errors / (weights @ spread))}

    return of


def _pearson_and_spearman(preds: Column, labels: Column) -> Weighted:
    found, true = numbers(preds, labels, metric="pear_spear")
    found_ranks, true_ranks = _ranks(found), _ranks(true)

    def of(weights: FloatArray) -> dict[str, float]:
        pearson = _correlation(found, true, weights)
        spearman = _correlation(found_ranks(weights), true_ranks(weights), weights)
        return {"pearson": pearson, "spearman": spearman, "corr": (pearson + spearman) / 2}

    return of


def _entities(name: str, of_counts: Callable[[float, float, float], float]) -> Callable[[Column, Column], Weighted]:
    def make(preds: Column, labels: Column) -> Weighted:
        counts = entity_counts(preds, labels, metric=name)
        return lambda weights: {name: of_counts(*(weights @ counts).tolist())}

    return make


def _counts(preds: Column, labels: Column) -> tuple[bool, _Counts]:
    grids = both_multi_hot(preds, labels)
    if grids is None:
        return False, _counts_of_ids(preds, labels)[0]
    found, true = (grid.astype(np.float64) for grid in grids)
    right = found * true
    return True, lambda weights: (weights @ right, weights @ found, weights @ true)


def _counts_of_ids(preds: Column, labels: Column) -> tuple[_Counts, list[object]]:
    pred_ids, label_ids, names = encode(preds, labels)
    rows, right = row_of_value(labels), pred_ids == label_ids

    def counts(weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        weight = weights[rows]
        right_ids, found, true = (
            np.bincount(ids, weights=counted, minlength=len(names)).astype(np.float64)
            for ids, counted in ((label_ids[right], weight[right]), (pred_ids, weight), (label_ids, weight))
        )
        return right_ids, found, true

    return counts, names


def _right_and_all(preds: Column, labels: Column) -> tuple[FloatArray, FloatArray]:
    """Right values and values of each row, [rows] each."""
    pred_ids, label_ids, _ = encode(preds, labels)
    rows = row_of_value(labels)
    right, values = (np.bincount(ids, minlength=len(labels)) for ids in (rows[pred_ids == label_ids], rows))
    return right.astype(np.float64), values.astype(np.float64)


def _ranks(values: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """From weights to the rank of each row among the drawn ones; equal values share their mean rank."""
    _, ids = np.unique(values, return_inverse=True)

    def of(weights: FloatArray) -> FloatArray:
        equal = np.bincount(ids, weights=weights)
        return (np.cumsum(equal) - (equal - 1) / 2)[ids]

    return of


def _correlation(left: FloatArray, right: FloatArray, weights: FloatArray) -> float:
    drawn = weights > 0
    if np.ptp(left[drawn]) == 0 or np.ptp(right[drawn]) == 0:
        return _NAN
    left, right = left - _mean(left, weights), right - _mean(right, weights)
    spread = np.sqrt((weights @ left**2) * (weights @ right**2))
    return float(weights @ (left * right) / spread)


def _f1(right: Counted, found: Counted, true: Counted) -> FloatArray:
    """F1 from counts; 0 where there is nothing."""
    f1: FloatArray = 2 * right / np.maximum(found + true, 1)
    return f1


def _mean(values: FloatArray, weights: FloatArray) -> float:
    return float(weights @ values / weights.sum())


def _ratio(part: FloatArray, whole: FloatArray) -> float:
    return float(part / whole) if whole else _NAN


_MAKE: dict[Callable[..., object], Callable[[Column, Column], Weighted]] = {
    simple_accuracy: _accuracy,
    acc_and_f1: _acc_and_f1,
    exact_match: _exact_match,
    f1_macro: _f1_macro,
    f1_micro: _f1_micro,
    f1_samples: _f1_samples,
    mcc: _mcc,
    mse: _mse,
    pearson_and_spearman: _pearson_and_spearman,
    r2: _r2,
    seq_f1: _entities("seq_f1", lambda right, found, true: float(_f1(right, found, true))),
    seq_precision: _entities("seq_precision", lambda right, found, _: right / max(found, 1)),
    seq_recall: _entities("seq_recall", lambda right, _, true: right / max(true, 1)),
}
"""A metric's function -> what makes it a function of weights."""

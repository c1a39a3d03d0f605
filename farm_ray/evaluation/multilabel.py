"""Metrics of rows with any number of labels: multi-hot columns [rows, labels], or lists."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError
from farm_ray.evaluation.classification import both_multi_hot, encode
from farm_ray.evaluation.columns import Column, row_of_value


def f1_samples(preds: Column, labels: Column) -> dict[str, float]:
    """`f1_samples`: the mean over rows of the F1 of a row's labels, 0 to 1; a row that rightly has none counts 1.

    Raises:
        ConfigError: When rows do not have several labels.
    """
    from sklearn.metrics import f1_score

    if not len(labels):
        return {"f1_samples": float("nan")}
    grids = both_multi_hot(preds, labels)
    if grids is None:
        raise ConfigError(
            "f1_samples is the mean over rows that have several labels; use f1_macro or f1_micro for one label per row",
            code="wrong-labels-for-metric",
            value="f1_samples",
        )
    found, true = grids
    if true.shape[1] == 1:
        # sklearn takes a single column for one label per row, and F1 of one label is 1 where it is right, else 0.
        return {"f1_samples": float(np.mean(found == true))}
    return {"f1_samples": float(f1_score(true, found, average="samples", zero_division=1))}


def exact_match(preds: Column, labels: Column) -> dict[str, float]:
    """`exact_match`: the share of rows in which every label (or tag) is right, 0 to 1."""
    if not len(labels):
        return {"exact_match": float("nan")}
    return {"exact_match": float(np.mean(rows_right(preds, labels)))}


def rows_right(preds: Column, labels: Column) -> npt.NDArray[np.bool_]:
    """Whether every value of a row is right, bool [rows]."""
    pred_ids, label_ids, _ = encode(preds, labels)
    wrong = row_of_value(labels)[pred_ids != label_ids]
    right: npt.NDArray[np.bool_] = np.bincount(wrong, minlength=len(labels)) == 0
    return right

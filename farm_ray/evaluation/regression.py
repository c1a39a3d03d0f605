"""Metrics of numbers, one per row: squared error, explained variance, correlations; and a short report.

Where a value is undefined (no rows, a column that never changes, a number that is not finite) it is NaN.
"""

from __future__ import annotations

import warnings
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError
from farm_ray.evaluation.columns import Column, check_lengths, is_list

if TYPE_CHECKING:
    FloatArray = npt.NDArray[np.float64]

_TWO_ROWS = 2
_NAN = float("nan")


def mse(preds: Column, labels: Column) -> dict[str, float]:
    """`mse`: the mean squared error, in the square of the labels' unit."""
    from sklearn.metrics import mean_squared_error

    found, true = numbers(preds, labels, metric="mse")
    return {"mse": float(mean_squared_error(true, found)) if _usable(found, true, rows=1) else _NAN}


def r2(preds: Column, labels: Column) -> dict[str, float]:
    """`r2`: the share of the labels' variance that the predictions explain; 1 at best, 0 for always their mean."""
    from sklearn.metrics import r2_score

    found, true = numbers(preds, labels, metric="r2")
    if not _usable(found, true, rows=_TWO_ROWS) or np.ptp(true) == 0:
        return {"r2": _NAN}
    return {"r2": float(r2_score(true, found))}


def pearson_and_spearman(preds: Column, labels: Column) -> dict[str, float]:
    """`pearson` and `spearman` correlation and `corr`, their mean, -1 to 1."""
    found, true = numbers(preds, labels, metric="pear_spear")
    if not _usable(found, true, rows=_TWO_ROWS) or np.ptp(found) == 0 or np.ptp(true) == 0:
        return dict.fromkeys(("pearson", "spearman", "corr"), _NAN)
    from scipy.stats import pearsonr, spearmanr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # columns that hardly change, at every evaluation of a young model
        pearson, spearman = float(pearsonr(true, found).statistic), float(spearmanr(true, found).statistic)
    return {"pearson": pearson, "spearman": spearman, "corr": (pearson + spearman) / 2}


def regression_report(preds: Column, labels: Column) -> str:
    """mse, r2, pearson, spearman and the number of rows, one per line."""
    if not len(labels):
        return "no rows to report on"
    values = mse(preds, labels) | r2(preds, labels) | pearson_and_spearman(preds, labels)
    shown = {"mse": f"{values['mse']:.6g}"} | {name: f"{values[name]:.4f}" for name in ("r2", "pearson", "spearman")}
    return "".join(f"{name:>8} {value:>12}\n" for name, value in {**shown, "rows": len(labels)}.items())


def numbers(preds: Column, labels: Column, *, metric: str) -> tuple[FloatArray, FloatArray]:
    """Both columns as float64 [rows]; entries are numbers, or lists of one.

    Raises:
        AssertionError: When the columns have different lengths.
        ConfigError: When an entry is no number; names the metric and the entry.
    """
    found, true = _as_numbers(preds, f"{metric}: the predictions"), _as_numbers(labels, f"{metric}: the labels")
    check_lengths(found, true)
    return found, true


def _as_numbers(column: Column, what: str) -> FloatArray:
    entries = [entry[0] if is_list(entry) and len(entry) == 1 else entry for entry in column]
    wrong: list[object] = [entry for entry in entries if not isinstance(entry, Real)]
    if wrong:
        raise ConfigError(
            f"{what} hold {wrong[0]!r:.80}, which is no number; the metrics of a classification are acc, f1_macro, "
            "f1_micro and others",
            code="wrong-labels-for-metric",
            value=wrong[0],
        )
    return np.array(entries, np.float64)


def _usable(found: FloatArray, true: FloatArray, *, rows: int) -> bool:
    return len(true) >= rows and bool(np.isfinite(found).all() and np.isfinite(true).all())

"""Classification metrics: accuracy, F1, Matthews correlation and the report per label.

Columns are what heads return: a list of label names, one per row; nested lists, one label per token; or multi-hot
numbers [rows, labels] for multilabel tasks. An empty column gives NaN: there is nothing to be right or wrong about.
"""

from __future__ import annotations

import re
from itertools import chain
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from farm_ray.errors import ConfigError
from farm_ray.evaluation.columns import Column, IntArray, check_lengths, flat, is_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NEGATIVE, _POSITIVE = (0, "0"), (1, "1")
_ONLY_LABEL = [1]
"""sklearn reads a grid of one column as two classes, 0 and 1; the label is the second."""
_SAMPLES_AVG = re.compile(r"^ *samples avg .*\n", re.MULTILINE)
"""sklearn counts a row that rightly has no label as 0 there, unlike `f1_samples`."""


def simple_accuracy(preds: Column, labels: Column) -> dict[str, float]:
    """`acc`: the share of equal entries, 0 to 1; of tokens for nested lists, of cells for multi-hot arrays."""
    if _whole_numbers(preds) and _whole_numbers(labels) and preds.shape == labels.shape:
        return {"acc": float(np.mean(preds == labels)) if preds.size else float("nan")}
    pred_ids, label_ids, _ = encode(preds, labels)
    return {"acc": float(np.mean(pred_ids == label_ids)) if pred_ids.size else float("nan")}


def acc_and_f1(preds: Column, labels: Column, positive_label: object = None) -> dict[str, float]:
    """`acc`, `f1` of the positive label, and `acc_and_f1`, their mean; each 0 to 1.

    Args:
        preds: Predicted labels, one per row, or multi-hot cells.
        labels: True labels, of the same shape.
        positive_label: The label that counts as found; by default 1, "1" or True, where all labels are 0 or 1.

    Raises:
        ConfigError: When the labels are not 0 and 1 and no positive label is given.
    """
    pred_ids, label_ids, names = encode(preds, labels)
    if not pred_ids.size:
        return dict.fromkeys(("acc", "f1", "acc_and_f1"), float("nan"))
    positive = positive_id(names, positive_label)
    found, true = pred_ids == positive, label_ids == positive
    total = int(found.sum()) + int(true.sum())
    f1 = 2.0 * int((found & true).sum()) / total if total else 0.0
    acc = float(np.mean(pred_ids == label_ids))
    return {"acc": acc, "f1": f1, "acc_and_f1": (acc + f1) / 2}


def f1_macro(preds: Column, labels: Column) -> dict[str, float]:
    """`f1_macro`: the mean of the F1 of each label seen in either column, 0 to 1; multi-hot arrays per label column."""
    return {"f1_macro": _f1(preds, labels, average="macro")}


def f1_micro(preds: Column, labels: Column) -> dict[str, float]:
    """`f1_micro`: F1 over all decisions together, 0 to 1; equals accuracy with one label per row."""
    return {"f1_micro": _f1(preds, labels, average="micro")}


def mcc(preds: Column, labels: Column) -> dict[str, float]:
    """`mcc`: Matthews correlation, -1 to 1; 0 where it is undefined, as with a single predicted label."""
    from sklearn.metrics import matthews_corrcoef

    pred_ids, label_ids, names = encode(preds, labels)
    if not pred_ids.size:
        return {"mcc": float("nan")}
    return {"mcc": float(matthews_corrcoef(label_ids, pred_ids)) if len(names) > 1 else 0.0}


def classification_report(preds: Column, labels: Column, label_list: Sequence[str]) -> str:
    """Precision, recall, F1 and row count per label of `label_list`, as sklearn prints them with 4 digits.

    Labels that occur in no row get zeros; multi-hot arrays are read in the order of `label_list`.

    Raises:
        ConfigError: When multi-hot arrays have another number of columns than `label_list` has labels.
    """
    from sklearn.metrics import classification_report as sklearn_report

    names = [str(name) for name in label_list]
    if not len(labels):
        return "no rows to report on"
    ids = list(range(len(names)))
    grids = both_multi_hot(preds, labels)
    if grids is None:
        found, true, _ = encode(preds, labels, first=label_list)
    else:
        found, true = grids
        if true.shape[1] != len(names):
            columns = f"{true.shape[1]} columns of predictions and labels"
            raise ConfigError(
                f"the report got {columns} for {len(names)} labels; label_list must name every column",
                code="wrong-number-of-labels",
                value=len(names),
            )
        ids = _ONLY_LABEL if len(names) == 1 else ids
    report = str(sklearn_report(true, found, labels=ids, target_names=names, digits=4, zero_division=0))
    # Where no prediction is right sklearn counts rows as "3.0".
    report = re.sub(r"(\d)\.0$", r"  \1", report, flags=re.MULTILINE)
    return _SAMPLES_AVG.sub("", report)


def _whole_numbers(column: Column) -> TypeGuard[IntArray]:
    """Whether there is nothing to name or to flatten, as with ids of tokens."""
    return isinstance(column, np.ndarray) and column.dtype.kind in "iu"


def encode(preds: Column, labels: Column, first: Sequence[object] = ()) -> tuple[IntArray, IntArray, list[Any]]:
    """Both columns, flattened, as ids int64 [entries] into the returned list of names, which starts with `first`.

    Raises:
        AssertionError: When a nested entry has another length in `preds` than in `labels`.
        ConfigError: When one column holds text and the other numbers, so that nothing could ever be equal; or when
            there are fractions, which are not equal or unequal but near or far.
    """
    check_lengths(preds, labels)
    flat_preds, flat_labels = flat(preds), flat(labels)
    if flat_preds and isinstance(flat_preds[0], str) != isinstance(flat_labels[0], str):
        seen = f"predictions such as {flat_preds[0]!r} and labels such as {flat_labels[0]!r}"
        raise ConfigError(
            f"a metric got {seen}: one is text, the other is not; give both in the same form", code="text-and-numbers"
        )
    if flat_preds and not isinstance(flat_preds[0], str):
        _check_whole(chain(flat_labels, flat_preds))
    names = list(dict.fromkeys(chain(first, flat_labels, flat_preds)))
    ids = {name: position for position, name in enumerate(names)}
    pred_ids = np.fromiter(map(ids.__getitem__, flat_preds), np.int64, len(flat_preds))
    label_ids = np.fromiter(map(ids.__getitem__, flat_labels), np.int64, len(flat_labels))
    return pred_ids, label_ids, names


def both_multi_hot(preds: Column, labels: Column) -> tuple[IntArray, IntArray] | None:
    """Both columns as `multi_hot` gives them, None where one of them is no such grid.

    Raises:
        AssertionError: When they have different numbers of rows or of columns.
    """
    pred_grid, label_grid = multi_hot(preds), multi_hot(labels)
    if pred_grid is None or label_grid is None:
        return None
    if pred_grid.shape != label_grid.shape:
        shapes = (f"{grid.shape[0]} rows of {grid.shape[1]}" for grid in (pred_grid, label_grid))
        raise AssertionError("{} predictions, but {} labels".format(*shapes))
    return pred_grid, label_grid


def multi_hot(column: Column) -> IntArray | None:
    """The column as int64 [rows, labels] where it is a grid of zeros and ones, else None."""
    if not isinstance(column, np.ndarray):
        rows = list(column)
        if not rows or not all(map(is_list, rows)):
            return None
        try:
            column = np.asarray(rows)
        except ValueError:  # rows of different lengths
            return None
    grid = column.ndim == 2 and column.dtype.kind in "biuf" and bool(np.isin(column, (0, 1)).all())  # noqa: PLR2004
    return column.astype(np.int64) if grid else None


def _f1(preds: Column, labels: Column, *, average: str) -> float:
    from sklearn.metrics import f1_score

    if not len(labels):
        return float("nan")
    counted: list[int] | None
    grids = both_multi_hot(preds, labels)
    if grids is None:
        true, found, names = encode(labels, preds)
        counted = list(range(len(names)))
    else:
        found, true = grids
        counted = _ONLY_LABEL if true.shape[1] == 1 else None
    return float(f1_score(true, found, labels=counted, average=average, zero_division=0))


def _check_whole(values: Iterable[object]) -> None:
    """Classes may be numbered 0.0 and 1.0; a fraction is no class."""
    for value in values:
        if isinstance(value, Real) and not isinstance(value, Integral) and not float(value).is_integer():
            raise ConfigError(
                f"a metric of classification got the number {value:g}; metrics of a regression are mse, r2, pear_spear",
                code="fraction-as-class",
                value=value,
            )


def positive_id(names: list[Any], positive_label: object) -> int:
    """The id of the positive label among `names`, or -1 where it occurs in no row; errors as for `acc_and_f1`."""
    if positive_label is not None:
        return names.index(positive_label) if positive_label in names else -1
    if not all(name in _NEGATIVE + _POSITIVE for name in names):
        seen = ", ".join(repr(name) for name in names[:5])
        raise ConfigError(
            f"acc_f1 needs labels 0 and 1, not {seen}; use f1_macro, or say which label counts with "
            "functools.partial(acc_and_f1, positive_label=...)",
            code="wrong-labels-for-metric",
            value="acc_f1",
        )
    return next((position for position, name in enumerate(names) if name in _POSITIVE), -1)

"""Metrics of numbers: by hand, undefined where there is nothing to tell, and what is no number."""

import math

import numpy as np
import pytest

from farm_ray.errors import ConfigError
from farm_ray.evaluation.metrics import compute_metrics
from farm_ray.evaluation.regression import mse, pearson_and_spearman, r2, regression_report
from tests.raised import raised

pytestmark = pytest.mark.filterwarnings("error")

PREDS, LABELS = [1.0, 2.0, 4.0], [1.0, 2.0, 3.0]
ALL = ["mse", "r2", "pear_spear"]


def test_by_hand():
    assert mse(PREDS, LABELS) == {"mse": pytest.approx(1 / 3)}
    assert r2(PREDS, LABELS) == {"r2": pytest.approx(1 - 1 / 2)}
    found = pearson_and_spearman(PREDS, LABELS)
    assert found == {"pearson": pytest.approx(0.981980506), "spearman": 1.0, "corr": pytest.approx(0.990990253)}


def test_r2_is_about_the_labels_not_about_the_predictions():
    """Predictions of twice the spread: in the wrong order it would be 1 - 2/8."""
    assert r2([0.0, 2.0, 4.0], [1.0, 2.0, 3.0])["r2"] == 0.0


@pytest.mark.parametrize(
    ("preds", "labels", "undefined"),
    [
        ([], [], {"mse", "r2", "pearson", "spearman", "corr"}),
        ([1.0], [2.0], {"r2", "pearson", "spearman", "corr"}),
        ([0.1, 0.1, 0.1], [1.0, 2.0, 3.0], {"pearson", "spearman", "corr"}),
        ([1.0, 2.0, 3.0], [0.1, 0.1, 0.1], {"r2", "pearson", "spearman", "corr"}),
        ([1.0, math.nan], [1.0, 2.0], {"mse", "r2", "pearson", "spearman", "corr"}),
        ([1.0, math.inf], [1.0, 2.0], {"mse", "r2", "pearson", "spearman", "corr"}),
    ],
)
def test_what_is_undefined_is_nan_without_a_warning(preds, labels, undefined):
    found = compute_metrics(ALL, preds, labels)
    assert {name for name, value in found.items() if math.isnan(value)} == undefined
    assert set(found) == {"mse", "r2", "pearson", "spearman", "corr"}


def test_columns_that_hardly_change_are_no_reason_to_warn():
    pearson_and_spearman([1.0, 1.0 + 1e-14, 1.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize("form", [np.array, lambda column: np.array(column, np.float32)[:, None], tuple])
def test_forms_of_columns(form):
    assert mse(form(PREDS), form(LABELS)) == mse(PREDS, LABELS)
    assert mse([[value] for value in PREDS], LABELS) == mse(PREDS, LABELS)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(("preds", "wrong"), [(["good", "bad", "dull"], "'good'"), ([[0, 1]] * 3, r"\[0, 1\]")])
def test_labels_of_a_classification_are_told(metric, preds, wrong):
    with pytest.raises(ConfigError, match=f"{metric}: the predictions hold {wrong}.* f1_macro"):
        compute_metrics(metric, preds, LABELS)
    with raised(ConfigError, "wrong-labels-for-metric"):
        compute_metrics(metric, LABELS, preds)


def test_unequal_lengths():
    with pytest.raises(AssertionError, match="3 predictions but 2 labels"):
        mse(PREDS, LABELS[:2])


def test_report():
    lines = [line.split() for line in regression_report(PREDS, LABELS).splitlines()]
    assert lines == [
        ["mse", "0.333333"],
        ["r2", "0.5000"],
        ["pearson", "0.9820"],
        ["spearman", "1.0000"],
        ["rows", "3"],
    ]
    assert regression_report([], []) == "no rows to report on"

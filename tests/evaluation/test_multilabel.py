"""Metrics of rows with any number of labels."""

import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from farm_ray.errors import ConfigError
from farm_ray.evaluation.classification import classification_report, f1_macro, f1_micro
from farm_ray.evaluation.metrics import compute_metrics
from farm_ray.evaluation.multilabel import exact_match, f1_samples

pytestmark = pytest.mark.filterwarnings("error")

PREDS = [[1, 0, 1], [0, 0, 0], [0, 1, 0], [0, 0, 1]]
LABELS = [[1, 0, 0], [0, 0, 0], [0, 1, 1], [0, 0, 0]]


def test_f1_of_rows_counts_a_row_that_rightly_has_no_label():
    """2/3, right without a label, 2/3, wrongly with one."""
    assert f1_samples(PREDS, LABELS)["f1_samples"] == pytest.approx((2 / 3 + 1 + 2 / 3 + 0) / 4)


def test_where_every_row_has_a_label_it_is_sklearns():
    rng = np.random.default_rng(0)
    preds, labels = (
        np.maximum(rng.integers(0, 2, (50, 4)), np.eye(4, dtype=int)[rng.integers(0, 4, 50)]) for _ in "ab"
    )
    expected = sklearn_metrics.f1_score(labels, preds, average="samples")
    assert f1_samples(preds, labels)["f1_samples"] == pytest.approx(expected)


def test_exact_match_counts_rows():
    assert exact_match(PREDS, LABELS) == {"exact_match": 0.25}
    assert exact_match(np.array(PREDS), np.array(LABELS)) == {"exact_match": 0.25}
    assert exact_match(["a", "b"], ["a", "a"]) == {"exact_match": 0.5}
    assert exact_match([["O", "B"], [], ["O"]], [["O", "O"], [], ["O"]]) == {"exact_match": pytest.approx(2 / 3)}


def test_accuracy_is_of_cells():
    assert compute_metrics("acc", PREDS, LABELS) == {"acc": pytest.approx(9 / 12)}


def test_no_rows():
    assert all(math.isnan(value) for value in compute_metrics(["f1_samples", "exact_match"], [], []).values())


def test_f1_of_rows_needs_rows_with_several_labels():
    with pytest.raises(ConfigError, match="use f1_macro or f1_micro"):
        f1_samples(["a"], ["b"])


def test_grids_of_different_widths_are_told():
    with pytest.raises(AssertionError, match="4 rows of 3 predictions, but 4 rows of 2 labels"):
        f1_macro(PREDS, [[0, 1]] * 4)


def test_a_single_label_that_applies_or_not():
    """To sklearn one column is two classes; the F1 of the label is that of the second."""
    preds, labels = [[1], [1], [0], [0], [0], [0]], [[1], [0], [1], [0], [0], [0]]
    assert f1_macro(preds, labels)["f1_macro"] == f1_micro(preds, labels)["f1_micro"] == 0.5
    assert f1_samples(preds, labels)["f1_samples"] == pytest.approx(4 / 6)
    toxic = next(line for line in classification_report(preds, labels, ["toxic"]).splitlines() if "toxic" in line)
    assert toxic.split() == ["toxic", "0.5000", "0.5000", "0.5000", "2"]


def test_report_by_label():
    report = classification_report(PREDS, LABELS, ["toxic", "insult", "threat"])
    lines = {line.split()[0]: line.split()[1:] for line in report.splitlines() if line.strip()}
    assert lines["toxic"] == ["1.0000", "1.0000", "1.0000", "1"]
    assert lines["threat"] == ["0.0000", "0.0000", "0.0000", "1"]
    assert "samples" not in lines

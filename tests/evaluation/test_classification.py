"""Classification metrics on columns that can be checked by hand."""

import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from farm_ray.errors import ConfigError
from farm_ray.evaluation.classification import (
    acc_and_f1,
    classification_report,
    encode,
    f1_macro,
    f1_micro,
    mcc,
    multi_hot,
    simple_accuracy,
)
from tests.raised import raised

TEN_A = ["a"] * 10
HALF_B = ["a"] * 5 + ["b"] * 5
HOT_PREDS = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])
HOT_LABELS = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 1]])


@pytest.mark.parametrize(("preds", "labels"), [(TEN_A, HALF_B), (HALF_B, TEN_A)])
def test_ten_a_against_five_a_and_five_b(preds, labels):
    assert simple_accuracy(preds, labels) == {"acc": 0.5}
    assert f1_macro(preds, labels)["f1_macro"] == pytest.approx(1 / 3)
    assert f1_micro(preds, labels)["f1_micro"] == 0.5


@pytest.mark.parametrize("metric", [simple_accuracy, acc_and_f1, f1_macro, f1_micro, mcc])
@pytest.mark.filterwarnings("error")
def test_empty_columns_give_nan(metric):
    assert all(math.isnan(value) for value in metric([], []).values())


def test_values_are_plain_python_numbers():
    for metric in (simple_accuracy, f1_macro, f1_micro, mcc):
        assert all(type(value) is float for value in metric(TEN_A, HALF_B).values())


def test_accuracy_counts_cells_of_multi_hot_arrays():
    assert simple_accuracy(HOT_PREDS, HOT_LABELS)["acc"] == pytest.approx(7 / 9)
    assert simple_accuracy(HOT_PREDS.tolist(), HOT_LABELS.astype(np.float32))["acc"] == pytest.approx(7 / 9)


def test_accuracy_counts_tokens_of_nested_lists():
    assert simple_accuracy([["O"], ["O", "B-PER"]], [["O"], ["B-PER", "B-PER"]])["acc"] == pytest.approx(2 / 3)


def test_nested_rows_of_unequal_length_are_told_even_where_the_sums_agree():
    with pytest.raises(AssertionError, match="row 1 has 1 predictions but 2 labels"):
        simple_accuracy([["a"], ["b"], ["c", "d"]], [["a"], ["b", "c"], ["d"]])


def test_averaged_f1_of_multilabel_columns():
    for average, metric in (("macro", f1_macro), ("micro", f1_micro)):
        expected = sklearn_metrics.f1_score(HOT_LABELS, HOT_PREDS, average=average, zero_division=0)
        assert metric(HOT_PREDS, HOT_LABELS)[f"f1_{average}"] == pytest.approx(expected)
        assert metric(HOT_PREDS.tolist(), HOT_LABELS.tolist())[f"f1_{average}"] == pytest.approx(expected)


def test_f1_and_mcc_agree_with_sklearn_on_names():
    rng = np.random.default_rng(0)
    labels, preds = (rng.choice(["x", "y", "z"], 200).tolist() for _ in range(2))
    assert f1_macro(preds, labels)["f1_macro"] == pytest.approx(
        sklearn_metrics.f1_score(labels, preds, average="macro")
    )
    assert mcc(preds, labels)["mcc"] == pytest.approx(sklearn_metrics.matthews_corrcoef(labels, preds))


@pytest.mark.filterwarnings("error")
def test_mcc_is_zero_where_undefined():
    assert mcc(TEN_A, HALF_B) == {"mcc": 0.0}
    assert mcc(TEN_A, TEN_A) == {"mcc": 0.0}


@pytest.mark.parametrize("kind", [str, int, float, bool])
def test_acc_and_f1_counts_ones(kind):
    columns = [[kind(value) for value in column] for column in ([1, 1, 0, 0], [1, 0, 0, 0])]
    if kind is str:
        assert columns[0][0] == "1"
    result = acc_and_f1(*columns)
    assert result == {"acc": 0.75, "f1": pytest.approx(2 / 3), "acc_and_f1": pytest.approx((0.75 + 2 / 3) / 2)}


def test_acc_and_f1_takes_a_positive_label_or_says_how_to_give_one():
    preds, labels = ["OFFENSE", "OTHER", "OTHER"], ["OFFENSE", "OFFENSE", "OTHER"]
    with pytest.raises(ConfigError, match="positive_label"):
        acc_and_f1(preds, labels)
    assert acc_and_f1(preds, labels, positive_label="OFFENSE")["f1"] == pytest.approx(2 / 3)
    assert acc_and_f1(["0", "0"], ["0", "0"])["f1"] == 0.0


def test_text_against_numbers_is_a_mistake_not_a_zero():
    with raised(ConfigError, "text-and-numbers"):
        simple_accuracy(["0", "1"], [0, 1])


@pytest.mark.parametrize("metric", [simple_accuracy, acc_and_f1, f1_macro, f1_micro, mcc])
@pytest.mark.parametrize("columns", [([0.5, 1.0], [0.0, 1.0]), ([1.0, 0.0], np.array([1, 2.5], np.float32))])
def test_numbers_of_a_regression_are_no_classes(metric, columns):
    with pytest.raises(ConfigError, match=r"got the number .*mse, r2, pear_spear"):
        metric(*columns)


def test_encode_starts_with_the_given_names():
    pred_ids, label_ids, names = encode(["b", "?"], ["a", "b"], first=["a", "b", "c"])
    assert (pred_ids.tolist(), label_ids.tolist(), names) == ([1, 3], [0, 1], ["a", "b", "c", "?"])


@pytest.mark.parametrize(
    "column", [["a", "b"], [["a"], ["b"]], [[1], [0, 1]], np.array([1, 0]), np.array([[2, 0]]), []]
)
def test_what_is_no_grid_of_zeros_and_ones(column):
    assert multi_hot(column) is None


@pytest.mark.filterwarnings("error")
def test_report_names_every_label_also_those_without_rows():
    report = classification_report(["OTHER", "OTHER"], ["OTHER", "INSULT"], ["ABUSE", "INSULT", "OTHER"])
    lines = {line.split()[0]: line.split()[1:] for line in report.splitlines() if line.strip()}
    assert lines["ABUSE"] == ["0.0000", "0.0000", "0.0000", "0"]
    assert lines["OTHER"] == ["0.5000", "1.0000", "0.6667", "1"]
    assert lines["accuracy"] == ["0.5000", "2"]


@pytest.mark.filterwarnings("error")
def test_report_of_multilabel_columns_follows_label_list():
    report = classification_report(HOT_PREDS, HOT_LABELS, ["toxic", "insult", "threat"])
    threat = next(line for line in report.splitlines() if "threat" in line)
    assert threat.split() == ["threat", "0.0000", "0.0000", "0.0000", "1"]
    with raised(ConfigError, "wrong-number-of-labels", value=2):
        classification_report(HOT_PREDS, HOT_LABELS, ["toxic", "insult"])


def test_report_of_no_rows():
    assert classification_report([], [], ["a", "b"]) == "no rows to report on"


@pytest.mark.parametrize(
    "columns", [(["a", "a", "a"], ["b", "b", "b"]), (["?", "?", "?"], ["a", "b", "b"]), (["a", "b"], ["b", "b"])]
)
def test_report_counts_rows_in_whole_numbers(columns):
    """Also where no prediction is right, and the last column stays in line."""
    lines = [line for line in classification_report(*columns, ["a", "b"]).splitlines() if line.strip()]
    assert all(line.split()[-1].isdigit() for line in lines[1:])
    assert len({len(line) for line in lines}) == 1

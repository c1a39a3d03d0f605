"""Metrics by name, by function and in lists; what users register; errors with hints."""

import functools
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from farm_ray.errors import ConfigError
from farm_ray.evaluation import metrics
from farm_ray.evaluation.metrics import (
    METRICS,
    acc_and_f1,
    check_metric,
    compute_metrics,
    compute_report_metrics,
    register_metrics,
    register_report,
    reported_names,
    resolve_metrics,
)
from farm_ray.tasks.table import spec_named
from tests.raised import raised

PREDS, LABELS = ["a"] * 10, ["a"] * 5 + ["b"] * 5


def trial_rows(task_type, labels):
    return spec_named(task_type, task_name="x").labels.trial(labels)


HEAD = SimpleNamespace(ph_output_type="per_sequence", label_list=["a", "b"])


@pytest.fixture(autouse=True)
def _empty_registries(monkeypatch):
    monkeypatch.setattr(metrics, "_registered_metrics", {})
    monkeypatch.setattr(metrics, "_registered_reports", {})


def share_of_a(preds, labels):
    return np.float64(sum(pred == "a" for pred in preds) / len(labels))


@pytest.mark.parametrize("metric", [["f1_macro", "acc", "acc"], ["f1_macro", ["acc", ("acc",)]]])
def test_lists_and_nested_lists_merge(metric):
    assert compute_metrics(metric, PREDS, LABELS) == {"f1_macro": pytest.approx(1 / 3), "acc": 0.5}


TYPES = {
    "classification": ["acc", "acc_f1", "exact_match", "f1_macro", "f1_micro", "mcc"],
    "multilabel_classification": ["acc", "acc_f1", "exact_match", "f1_macro", "f1_micro", "f1_samples", "mcc"],
    "regression": ["mse", "pear_spear", "r2"],
    "token_classification": ["acc", "exact_match", "f1_macro", "f1_micro", "seq_f1", "seq_precision", "seq_recall"],
}


@pytest.mark.parametrize("task_type", TYPES)
def test_built_in_names_fit_some_tasks_and_are_refused_for_others(task_type):
    rows = trial_rows(task_type, ["O", "1"] if task_type == "token_classification" else ["0", "1"])
    for name in METRICS:
        if name in TYPES[task_type]:
            check_metric(name, rows)
            assert all(math.isfinite(value) for value in compute_metrics(name, rows, rows).values())
        elif (name, task_type) not in {("acc_f1", "token_classification"), ("mcc", "token_classification")}:
            with pytest.raises(ConfigError):
                check_metric(name, rows)


def test_farms_import_line():
    from farm_ray.evaluation.metrics import (  # noqa: F401 - that there are these names is the test
        acc_and_f1,
        f1_macro,
        pearson_and_spearman,
        simple_accuracy,
    )


def test_empty_columns():
    assert math.isnan(compute_metrics("acc", [], [])["acc"])


def test_unequal_lengths_name_both():
    with pytest.raises(AssertionError, match="1 predictions but 2 labels"):
        compute_metrics("acc", ["a"], ["a", "b"])


def test_unknown_name_is_answered_with_the_nearest_and_the_known_ones():
    with pytest.raises(ConfigError, match=r'unknown metric "f1_makro"; did you mean "f1_macro".* acc, acc_f1, .*mcc'):
        compute_metrics("f1_makro", PREDS, LABELS)
    with pytest.raises(ConfigError, match=r"known are: acc, acc_f1, .*register_metrics"):
        check_metric(["acc", "squadron"])


@pytest.mark.parametrize("metric", [None, 3, ["acc", None], lambda preds: 0.0])
def test_what_is_no_metric(metric):
    with pytest.raises(ConfigError):
        check_metric(metric)


def test_functions_may_return_a_dict_or_a_bare_number():
    result = compute_metrics([share_of_a, lambda preds, labels: {"rows": len(preds)}], PREDS, LABELS)
    assert result == {"share_of_a": 1.0, "rows": 10}
    assert type(result["share_of_a"]) is float


def test_a_partial_is_a_metric():
    metric = functools.partial(acc_and_f1, positive_label="a")
    check_metric(metric)
    assert compute_metrics(metric, PREDS, LABELS)["f1"] == pytest.approx(2 / 3)


def test_a_function_that_returns_something_else_is_told():
    with raised(ConfigError, "wrong-metric-result", value="str"):
        compute_metrics(lambda preds, labels: "good", PREDS, LABELS)


def test_two_values_under_one_name_are_told():
    with raised(ConfigError, "metrics-disagree", value="acc"):
        compute_metrics(["acc", lambda preds, labels: {"acc": 1.0}], PREDS, LABELS)
    assert compute_metrics(["acc", "acc_f1"], ["1", "0"], ["1", "1"])["acc"] == 0.5


def test_registered_metric_reports_under_its_name():
    register_metrics("share", share_of_a)
    check_metric(["share", "acc"])
    assert compute_metrics(["share", "acc"], PREDS, LABELS) == {"share": 1.0, "acc": 0.5}


def test_a_name_registered_again_is_replaced_but_a_built_in_one_never():
    register_metrics("share", share_of_a)
    register_metrics("share", lambda preds, labels: 7)
    assert compute_metrics("share", PREDS, LABELS) == {"share": 7}
    with raised(ConfigError, "name-is-taken", value="acc"):
        register_metrics("acc", share_of_a)


def test_what_cannot_be_registered():
    with raised(ConfigError, "wrong-signature"):
        register_metrics("bad", lambda preds: 0)
    with raised(ConfigError, "invalid-value"):
        register_report("per_sequence", "text")


def test_resolved_metrics_travel_to_a_process_without_the_registration(monkeypatch):
    register_metrics("share", share_of_a)
    sent = pickle.dumps(resolve_metrics(["share", "acc"]))
    monkeypatch.setattr(metrics, "_registered_metrics", {})
    assert compute_metrics(pickle.loads(sent), PREDS, LABELS) == {"share": 1.0, "acc": 0.5}


def test_report_of_a_sequence_head():
    assert "0.5000" in compute_report_metrics(HEAD, PREDS, LABELS)


@pytest.mark.parametrize(
    ("output_type", "preds", "labels", "told"),
    [
        ("per_sequence", [[1, 0], [1, 1]], [[1, 0], [0, 1]], "a     0.5000    1.0000    0.6667         1"),
        ("per_sequence_continuous", [1.0, 2.0], [1.0, 3.0], "pearson       1.0000"),
        ("per_token", [["B-PER", "O"]], [["B-PER", "O"]], "PER     1.0000    1.0000    1.0000         1"),
    ],
)
def test_reports_of_other_heads(output_type, preds, labels, told):
    labels_of_head = ["O", "B-PER"] if output_type == "per_token" else ["a", "b"]
    head = SimpleNamespace(ph_output_type=output_type, label_list=labels_of_head)
    assert told in compute_report_metrics(head, preds, labels)
    register_report(output_type, lambda preds, labels: f"{len(preds)} rows")
    assert compute_report_metrics(head, preds, labels) == f"{len(preds)} rows"


def test_registered_report_replaces_the_built_in_one():
    register_report("per_sequence", lambda preds, labels: f"{len(preds)} rows")
    assert compute_report_metrics(HEAD, PREDS, LABELS) == "10 rows"


def test_output_type_without_report():
    with pytest.raises(ConfigError, match=r'"per_sequenz".*register_report'):
        compute_report_metrics(SimpleNamespace(ph_output_type="per_sequenz"), PREDS, LABELS)


def test_a_built_in_metric_is_tried_on_the_labels():
    check_metric(["acc", "acc_f1"], ["0", "1"])
    with raised(ConfigError, "wrong-labels-for-metric", value="acc_f1"):
        check_metric(["acc", "acc_f1"], ["good", "bad"])


def test_a_metric_of_ones_own_is_not_tried_unasked():
    register_metrics("share", lambda preds, labels: pytest.fail("it was called"))
    check_metric("share", ["a", "b"])


def too_few(preds, labels):
    if len(labels) < 100:
        raise ValueError
    return {"f2": 1.0}


@pytest.mark.parametrize(
    ("own", "names", "all_known"),
    [
        (share_of_a, ["acc", "own"], True),
        (lambda preds, labels: {"f2": 0.5}, ["acc", "f2"], False),
        (lambda preds, labels: None, ["acc"], False),
        (too_few, ["acc"], False),
    ],
)
def test_names_that_are_reported(own, names, all_known):
    register_metrics("own", own)
    assert reported_names(["acc", "own"], ["a", "b"]) == (names, all_known)
    assert reported_names("acc_f1", ["0", "1"]) == (["acc", "f1", "acc_and_f1"], True)


def test_entities_of_tags_without_o_mean_nothing():
    for tags in (["0", "1", "2"], ["NOUN", "VERB"], ["B", "I"]):
        rows = trial_rows("token_classification", tags)
        check_metric("acc", rows)
        with pytest.raises(ConfigError, match=r'seq_recall counts entities.*lack "O".*metric="acc"'):
            check_metric(["acc", ["seq_recall"]], rows)


def test_the_report_of_tags_without_o_is_about_words():
    head = SimpleNamespace(ph_output_type="per_token", label_list=["[PAD]", "NOUN", "VERB", "X"])
    lines = compute_report_metrics(head, [["NOUN", "VERB"], ["NOUN"]], [["NOUN", "NOUN"], ["NOUN"]]).splitlines()
    assert [line.split() for line in lines if "NOUN" in line] == [["NOUN", "1.0000", "0.6667", "0.8000", "3"]]
    assert compute_report_metrics(head, [], []) == "no rows to report on"

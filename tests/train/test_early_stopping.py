"""When to stop, on sequences of values."""

import json
import math
import pickle

import pytest

from farm_ray.errors import CheckpointError, ConfigError
from farm_ray.evaluation.metrics import METRICS, compute_metrics
from farm_ray.train.early_stopping import EarlyStopping
from tests.raised import raised


def decisions(stopping, values, metric="loss"):
    return [stopping.check_stopping([{metric: value}])[:2] for value in values]


def test_patience_of_zero_stops_at_the_first_evaluation_that_is_no_better():
    assert decisions(EarlyStopping(save_dir="best"), [1.0, 0.9, 0.95]) == [(False, True), (False, True), (True, False)]


def test_patience_counts_evaluations_in_a_row():
    stopping = EarlyStopping(metric="acc", mode="max", patience=1)
    assert [stop for stop, _ in decisions(stopping, [0.5, 0.4, 0.6, 0.6, 0.6], "acc")] == [False] * 4 + [True]
    assert stopping.best_so_far == 0.6


def test_an_improvement_must_be_larger_than_min_delta():
    stopping = EarlyStopping(save_dir="best", min_delta=0.5, patience=9)
    assert [save for _, save in decisions(stopping, [2.0, 1.5, 1.25])] == [True, False, True]


def test_first_evaluations_that_do_not_count():
    stopping = EarlyStopping(save_dir="best", min_evals=2)
    assert decisions(stopping, [0.1, 0.5, 3.0, 2.0]) == [(False, False), (False, False), (False, True), (False, True)]
    assert stopping.eval_values == [0.1, 0.5, 3.0, 2.0]


def test_without_save_dir_nothing_is_saved_but_the_best_is_known():
    stopping = EarlyStopping(patience=5)
    seen = []
    for value in (2.0, 1.0, 1.5):
        _, save, _ = stopping.check_stopping([{"loss": value}])
        seen.append((save, stopping.is_best))
    assert seen == [(False, True), (False, True), (False, False)]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_never_an_improvement(mode, value):
    stopping = EarlyStopping(metric="x", mode=mode, patience=1, save_dir="best")
    assert decisions(stopping, [value, 1.0, value, value], "x") == [
        (False, False),
        (False, True),
        (False, False),
        (True, False),
    ]
    assert stopping.best_so_far == 1.0
    assert not EarlyStopping().is_best


def test_a_function_gets_the_whole_result():
    stopping = EarlyStopping(metric=lambda result: result[0]["loss"] + result[1]["loss"])
    assert stopping.check_stopping([{"loss": 1}, {"loss": 2}]) == (False, False, 3.0)


def test_another_head():
    assert EarlyStopping(head=1).check_stopping([{"loss": 1.0}, {"loss": 2.0}])[2] == 2.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric": "f1_makro"}, 'head 0 has no metric "f1_makro"; did you mean "f1_macro".*acc, f1_macro, loss'),
        ({"metric": "zzz"}, "known are: acc, f1_macro, loss"),
        ({"metric": "report"}, "is no number"),
        ({"metric": lambda result: None}, "is no number"),
        ({"head": 1}, "no head 1; the model has 1"),
    ],
)
def test_results_without_the_value_are_told(settings, message):
    result = [{"task_name": "t", "loss": 1.0, "f1_macro": 0.5, "acc": 0.5, "report": "precision recall"}]
    with pytest.raises(ConfigError, match=message):
        EarlyStopping(**settings).check_stopping(result)


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "maximum"}, {"patience": -1}, {"head": -1}, {"min_evals": -1}, {"min_delta": math.nan}, {"metric": 3}],
)
def test_arguments_out_of_range(wrong):
    with pytest.raises(ConfigError):
        EarlyStopping(**wrong)


def test_unknown_argument_names_the_nearest():
    with pytest.raises(TypeError, match='did you mean "patience"'):
        EarlyStopping(patients=3)


@pytest.mark.parametrize("metric", METRICS)
def test_a_mode_that_keeps_the_worst_is_told(metric):
    for value in compute_metrics(metric, [], []):
        usual, unusual = ("min", "max") if value == "mse" else ("max", "min")
        EarlyStopping(metric=value, mode=usual)
        with pytest.warns(UserWarning, match=f'mode="{usual}" is usual'):
            EarlyStopping(metric=value, mode=unusual)


def test_state_goes_through_strict_json_and_goes_on_the_same():
    values = [3.0, math.nan, 2.0, 2.5, 2.5]
    whole, first, second = (EarlyStopping(patience=2, save_dir="best") for _ in range(3))
    expected = decisions(whole, [*values, 2.6])
    assert decisions(first, values[:3]) == expected[:3]
    second.load_state_dict(json.loads(json.dumps(first.state_dict(), allow_nan=False)))
    assert decisions(second, [*values[3:], 2.6]) == expected[3:]
    assert second.eval_values[2:] == whole.eval_values[2:]
    assert math.isnan(second.eval_values[1])


def test_a_reset_forgets_what_was_seen_and_keeps_the_settings():
    stopping = EarlyStopping(metric="acc", mode="max", patience=1)
    decisions(stopping, [0.9, 0.1, 0.1], "acc")
    stopping.reset()
    assert (stopping.eval_values, stopping.best_so_far, stopping.n_since_best) == ([], None, 0)
    assert decisions(stopping, [0.5, 0.4, 0.4], "acc") == [(False, False), (False, False), (True, False)]


def test_fresh_state_and_pickle():
    fresh = EarlyStopping()
    fresh.load_state_dict(EarlyStopping().state_dict())
    assert (fresh.best_so_far, fresh.eval_values) == (None, [])
    assert pickle.loads(pickle.dumps(fresh)).metric == "loss"
    with raised(CheckpointError, "incomplete-state", value=["best_so_far", "n_since_best"]):
        fresh.load_state_dict({"eval_values": []})

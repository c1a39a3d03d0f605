import math

import numpy as np
import pytest

from farm_ray.data_handler.scaling import Scaling, measure, read_number, read_numbers, scaling_of, why_not
from farm_ray.errors import ConfigError
from tests.tasks.making import make_task


def test_mean_and_population_deviation():
    assert measure(np.array([4.0, 5, 5, 5])) == pytest.approx((4.75, 0.4330127018922193), abs=1e-15)
    # Eighteen pairs labelled 0, 1 and 2.
    pairs = measure(np.array([0.0] * 6 + [1.0] * 10 + [2.0] * 2))
    assert pairs == pytest.approx((0.7778, 0.6285), abs=5e-5)


def test_the_same_for_any_order():
    numbers = np.random.default_rng(7).lognormal(3, 4, 5000)
    assert measure(numbers) == measure(numbers[::-1].copy()) == measure(np.sort(numbers))


@pytest.mark.parametrize("numbers", [[0.1] * 3, [3.0], [-1e38] * 3, [5e-324, 0.0]])
def test_numbers_without_spread_are_scaled_by_one(numbers):
    mean, scale = measure(np.array(numbers))
    assert scale == 1.0
    assert mean == pytest.approx(np.mean(numbers))


def test_nothing_to_measure():
    assert measure(np.array([])) == (0.0, 1.0)


def test_scaling_and_back():
    scaling = Scaling(4.75, 0.433)
    assert (scaling.apply(np.array([4.0, 5.0])) * 0.433 + 4.75).tolist() == [4.0, 5.0]
    assert scaling.apply(4.75) == 0


def test_scaling_of_a_task():
    task = make_task("stars", metric="mse", label_list=[3, 0.5], task_type="regression")
    assert scaling_of(task) == (3.0, 0.5)
    with pytest.raises(ConfigError, match=r"stars_label are not known: a DataSilo measures them.*scaler_mean"):
        scaling_of(task.changed(label_list=[]))


@pytest.mark.parametrize(
    ("label", "number"),
    [
        ("4.5", 4.5),
        (" -3 ", -3.0),
        ("+1e3", 1000.0),
        (".5", 0.5),
        ("3.4e38", 3.4e38),
        ("1e39", math.inf),
        ("-1e400", -math.inf),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
    ],
)
def test_numbers(label, number):
    assert read_number(label) == number


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("4,5", 'decimal comma, write "4.5"'),
        (" -1,25 ", 'write "-1.25"'),
        ("1.234,5", "is not a number; correct"),
        ("1_000", "without underscores"),
        ("NEUTRAL", "is not a number; correct the row or remove it"),
        ("True", "is not a number"),
        ("nan", "is not a finite number"),
        ("1e39", r"is not a finite number below 3.4e\+38"),
        ("-inf", "is not a finite number"),
    ],
)
def test_labels_that_are_no_numbers(label, told):
    assert not math.isfinite(read_number(label))
    with pytest.raises(ValueError, match=told):
        raise ValueError(why_not(label))


def test_columns():
    assert read_numbers(["1", None, "x"]).tolist()[0] == 1.0
    assert np.isnan(read_numbers(["1", None, "x"])).tolist() == [False, True, True]
    assert read_numbers([]).dtype == np.float64

"""One number per row: mean and scale in the place of a label list."""

import pytest

from farm_ray.errors import ConfigError
from tests.raised import raised
from tests.tasks.making import make_task


@pytest.mark.parametrize("label_list", [[], None, [None, None]])
def test_a_regression_may_wait_for_its_mean_and_scale(label_list):
    assert make_task("stars", metric="mse", label_list=label_list, task_type="regression")["label_list"] == []


@pytest.mark.parametrize("label_list", [["a", "b"], [1.0], [1, 2, 3], [1, 0], [0, float("nan")], [None, 2], "mse"])
def test_mean_and_scale_that_cannot_be_meant(label_list):
    with raised(ConfigError, "wrong-scaling", task="stars"):
        make_task("stars", metric="mse", label_list=label_list, task_type="regression")

"""What labels of all kinds share: values of dicts, ids, counts, strata."""

import numpy as np
import pytest

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.tasks.labels import _bins, count_ids, value_of
from tests.raised import raised
from tests.tasks.making import make_task

TASK = make_task("sent", label_list=["a", "b", "c"], label_column_name="kind", task_type="classification")


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"sent_label": "a", "kind": "b"}, "a"),
        ({"kind": "b"}, "b"),
        ({"sent_label": None, "kind": "b"}, "b"),
        ({"kind": float("nan")}, None),
        ({"sent_label": 0}, 0),
        ({}, None),
    ],
)
def test_labels_stand_under_the_label_name_or_the_column(row, value):
    assert value_of(row, TASK) == value


def test_a_list_of_one_label_is_that_label():
    assert TASK.labels.cell({"kind": ["b"]}, TASK, "1") == ("b", None)
    assert TASK.labels.cell({"kind": 2}, TASK, "1") == ("2", None)
    assert TASK.labels.cell({}, TASK, "1") == (None, None)


def test_ids_outside_of_the_list_are_not_counted():
    assert count_ids(np.array([-100, 0, 2, 2, 3]), 3).tolist() == [1, 0, 2]
    assert count_ids(np.array([], np.int64), 2).tolist() == [0, 0]


@pytest.mark.parametrize("given", [[0.5], [3], [-1]])
def test_ids_that_are_none(given):
    with raised(DataProblemError, "not-label-ids", value=given):
        TASK.labels.given(np.array(given), TASK)
    assert TASK.labels.given(np.array([2.0]), TASK).dtype == np.int64


def test_a_label_list_must_be_known():
    with raised(ConfigError, "labels-not-known", column="label"):
        task = make_task("sent", task_type="classification", label_column_name="label").changed(label_list=())
        task.labels.known(task)


def test_fractions_are_dealt_by_quantiles():
    bins = _bins(np.arange(100.0), 5)
    assert np.bincount(bins).tolist() == [10] * 10
    assert _bins(np.arange(3.0), 5).tolist() == [0, 0, 0]
    assert len(set(_bins(np.array([1.0] * 50 + [2.0] * 50), 2))) == 2

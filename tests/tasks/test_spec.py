"""A kind of task is known by its name."""

import pickle

from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION


def test_kinds_stay_equal_on_their_way_to_other_processes():
    there = pickle.loads(pickle.dumps(REGRESSION))
    assert there == REGRESSION
    assert {there: 1}[REGRESSION] == 1
    assert there != CLASSIFICATION

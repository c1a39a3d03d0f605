"""Columns of values and of lists of values."""

import numpy as np
import pytest

from farm_ray.evaluation.columns import check_lengths, flat, row_of_value


@pytest.mark.parametrize(
    ("column", "values", "rows"),
    [
        (["a", "b"], ["a", "b"], [0, 1]),
        ([["a", "b"], [], ("c",)], ["a", "b", "c"], [0, 0, 2]),
        ([[["a"], ["b", "c"]], []], ["a", "b", "c"], [0, 0, 0]),
        (np.array([[1, 0], [0, 1]]), [1, 0, 0, 1], [0, 0, 1, 1]),
        ([np.array([1, 2]), [3]], [1, 2, 3], [0, 0, 1]),
        ([], [], []),
    ],
)
def test_all_values_and_the_rows_they_are_from(column, values, rows):
    assert flat(column) == values
    assert row_of_value(column).tolist() == rows


@pytest.mark.parametrize(
    ("preds", "labels", "told"),
    [
        (["a"], ["a", "b"], "1 predictions but 2 labels"),
        ([["a"], ["b"]], [["a"], []], "row 1 has 1 predictions but 0 labels"),
        ([["a"]], [["a"], ["b"]], "1 predictions but 2 labels"),
    ],
)
def test_columns_of_other_lengths(preds, labels, told):
    with pytest.raises(AssertionError, match=told):
        check_lengths(preds, labels)
    check_lengths(labels, labels)

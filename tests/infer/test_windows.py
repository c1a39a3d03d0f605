"""Windows of long texts become one entry per input."""

import numpy as np

from farm_ray.infer import windows


def arrays(*values):
    return [np.array(value, np.float32) for value in values]


def lists(joined):
    return [array.tolist() for array in joined]


def test_the_first_window_answers_for_the_row():
    inputs = np.array([0, 0, 2, 5, 5, 5])
    values = arrays([1], [2], [3], [4], [5], [6])
    assert lists(windows.of_first_windows(values, inputs)) == [[1], [3], [4]]
    assert windows.first_windows(inputs).tolist() == [0, 2, 3]


def test_words_of_all_windows_follow_each_other():
    inputs = np.array([0, 0, 2, 5, 5])
    values = arrays([[1], [2]], [[3]], [], [[4]], [[5], [6]])
    assert lists(windows.of_all_windows(values, inputs)) == [[[1], [2], [3]], [], [[4], [5], [6]]]


def test_no_rows():
    nothing = np.zeros(0, np.int64)
    assert windows.of_first_windows([], nothing) == windows.of_all_windows([], nothing) == []

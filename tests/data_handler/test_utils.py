import pytest

from farm_ray.data_handler.utils import expand_labels, pad, split_with_metadata
from farm_ray.errors import DataProblemError


def test_pad():
    given = [1, 2]
    assert (pad(given, 4, 0), pad(given, 4, 0, pad_on_left=True), pad(given, 1, 0)) == (
        [1, 2, 0, 0],
        [0, 0, 1, 2],
        [1, 2],
    )
    assert given == [1, 2]


def test_expand_labels():
    assert expand_labels(["O", "B-PER"], [0, 1, 0, 1, 0], "X") == ["X", "O", "X", "B-PER", "X"]
    assert expand_labels(["O", "B-PER", "O"], [1, 1], "X") == ["O", "B-PER"]
    assert expand_labels(None, [1], "X") is None
    assert expand_labels([], [1], "X") is None
    with pytest.raises(DataProblemError, match="begins 2 words, but there are 1 labels"):
        expand_labels(["O"], [1, 1], "X")


def test_split_with_metadata():
    assert split_with_metadata("This is  a\ntest ") == (["This", "is", "a", "test"], [0, 5, 9, 11])

import pytest

from farm_ray.errors import DataProblemError
from farm_ray.modeling.tokenization import insert_at_special_tokens_pos
from tests.raised import raised


def test_elements_line_up_with_the_tokens():
    labels = [12, 200]
    assert insert_at_special_tokens_pos(labels, [1, 0, 0, 1], insert_element=-1) == [-1, 12, 200, -1]
    assert insert_at_special_tokens_pos(labels, [0, 1, 1, 0], -1) == [12, -1, -1, 200]
    assert labels == [12, 200]


@pytest.mark.parametrize("mask", [[1, 0, 1], [1, 0, 0, 0, 1]])
def test_one_element_for_each_ordinary_token(mask):
    with raised(DataProblemError, "lengths-differ", value=2):
        insert_at_special_tokens_pos([12, 200], mask, -1)

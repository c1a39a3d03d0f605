"""One label per row: which labels a column has."""

import pytest

from farm_ray.tasks.classification import OneLabel
from tests.tasks.making import found


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["pos", "neg", "pos", "", None], ["neg", "pos"]),
        (["10", "9", "2", "-1"], ["-1", "2", "9", "10"]),
        (["1.5", "1.0"], ["1.0", "1.5"]),
        (["10", "9", "b"], ["9", "10", "b"]),
        (["a,b", "c"], ["a,b", "c"]),
        (["Washington, D.C.", "Paris", "D.C."], ["D.C.", "Paris", "Washington, D.C."]),
        (["1_0", "10"], ["10", "1_0"]),
        (["None", "b"], ["None", "b"]),
        (["True", "False"], ["False", "True"]),
        (["1e-99999999999999999999", "b"], ["1e-99999999999999999999", "b"]),
        (
            ["10000000000000000000001", "10000000000000000000002"],
            ["10000000000000000000001", "10000000000000000000002"],
        ),
        (["(other)", "[x"], ["(other)", "[x"]),
    ],
)
def test_one_label_per_row(labels, expected):
    assert found(OneLabel, labels) == {"label_list": expected}

"""Lists of label names, as users give them."""

import pandas as pd
import pytest

from farm_ray.errors import ConfigError
from tests.tasks.making import make_task


@pytest.mark.parametrize(
    ("label_list", "told"),
    [
        ("OTHER", "must be a list of labels"),
        (None, "must be a list of labels"),
        (pd.Series(["a", "b"]), r"must be a list of labels [^\n]*$"),
        ([], "needs at least two labels"),
        (["OTHER"], "needs at least two labels"),
        (["a", "b", "a"], "'a' more than once"),
        (["1", 1], "'1' more than once"),
        ([True, False], r'put the labels in quotes, for example \["yes", "no"\]'),
        (["a", None], "put the labels in quotes"),
        (["a", ["b"]], "a label is a text"),
    ],
)
def test_labels_that_cannot_be_meant(label_list, told):
    with pytest.raises(ConfigError, match=told):
        make_task("sent", metric="acc", label_list=label_list)

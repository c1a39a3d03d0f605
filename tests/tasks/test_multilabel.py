"""Any number of labels per row: their list, and what a column says."""

import pytest

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.tasks.multilabel import SeveralLabels
from tests.raised import raised
from tests.tasks.making import found, make_task


def test_multilabel_tasks_may_have_one_label_but_no_commas():
    kind = "multilabel_classification"
    assert make_task("tox", metric="acc", label_list=["toxic"], task_type=kind)["label_list"] == ["toxic"]
    with raised(ConfigError, "unusable-label", value="a,b"):
        make_task("tox", metric="acc", label_list=["a,b", "c"], task_type=kind)


@pytest.mark.parametrize(
    ("labels", "expected", "hot"),
    [
        (["a,b", "", "b"], ["a", "b"], False),
        (['["b", "a"]', "[]"], ["a", "b"], False),
        (["['b', 'a']", "c"], ["a", "b", "c"], False),
        (["[0, 2]", "[1]"], ["0", "1", "2"], False),
        (["[1, 0, 1]", "[0, 0, 1]"], ["0", "1", "2"], True),
        (["1 0 1", "0 0 1"], ["0", "1", "2"], True),
        (["[0 1 1 1]", "[1 0 0 0]"], ["0", "1", "2", "3"], True),
        (["0,1", "1", "0"], ["0", "1"], False),
        (["0,1", "1,0"], ["0", "1"], True),
        (["[0]", "[1]"], ["0", "1"], False),
        (["toxic", "toxic"], ["toxic"], False),
    ],
)
def test_several_labels_per_row(labels, expected, hot):
    assert found(SeveralLabels, labels) == {"label_list": expected, "multi_hot": hot}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a, b", "b"], r'holds " b" in train\.tsv:2 and "b" in train\.tsv:3, which look like one label'),
        (["a;b", "a", "b"], r'"a;b" in train\.tsv:2; join several labels by commas'),
        (["[0.3, 0.7]", "[1, 0]"], r'holds "\[0\.3, 0\.7\]" in train\.tsv:2, which is no list of labels'),
        (['{"a": 1, "b": 0}', "a"], "which is no list of labels"),
        (["[3 2 1]", "[4 5 6]"], "which is no list of labels"),
        (["", None], "holds no labels"),
        (["a,nan"], "as missing values are written"),
        (['["a,b", "c"]'], r'"a,b" in train\.tsv:2; commas stand between labels, so rename it'),
    ],
)
def test_what_is_no_column_of_several_labels(labels, message):
    with pytest.raises(DataProblemError, match=message):
        found(SeveralLabels, labels)


def test_given_labels_stay_and_the_form_is_found():
    assert found(SeveralLabels, ["[0, 1]", "[1, 0]"], label_list=["0", "1"]) == {"multi_hot": True}
    assert found(SeveralLabels, ["[0, 1]", "[1]"], label_list=["0", "1"]) == {"multi_hot": False}

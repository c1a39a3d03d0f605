"""Label lists from the training data, and columns that hold something else."""

import logging

import pytest

from farm_ray.errors import DataProblemError
from farm_ray.tasks.classification import OneLabel
from farm_ray.tasks.multilabel import SeveralLabels
from farm_ray.tasks.token_classification import TagPerWord
from tests.tasks.making import found


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["pos", "neg", "Pos "], r'holds "Pos " in train\.tsv:4 and "pos" in train\.tsv:2, which look like one label'),
        (["1", "1.0", "2"], "look like one label"),
        (["true", "True", "no"], "look like one label"),
        (["very  bad", "very bad"], "look like one label"),
        (["1e3", "1000"], "look like one label"),
        (["caf\u00e9", "cafe\u0301"], "look like one label"),
        (["good", "good\u200b"], "look like one label"),
        (["\u2764", "\u2764\ufe0f"], "look like one label"),
        (["pos", "nan"], r'"nan" in train\.tsv:3, as missing values are written; remove such rows'),
        (["a", "b", "a,b"], r'several labels in a row \("a,b" in train\.tsv:4\); give multilabel=True'),
        (["a; b", "a", "b|c", "c"], r"several labels in a row .* give multilabel=True"),
        (["[1, 0]", "[0, 1]"], "several labels in a row"),
        (["['a']", "['b']"], "several labels in a row"),
        (['{"a": 1}', "b"], "which is no label; write a name"),
        (["1 0 1", "0 0 1"], "several labels in a row"),
        (["good", "good"], 'has only the label "good"; a classifier needs at least two classes'),
        (["", None, ""], "holds no labels; name the right one with label_column_name"),
        ([str(number) for number in range(1001)], r'more than 1000 labels .*such as "0".* take a regression'),
        ([f"text {number}" for number in range(18)] + ["text 1"] * 3, "holds 18 labels in 21 rows"),
    ],
)
def test_what_is_no_column_of_labels(labels, message):
    with pytest.raises(DataProblemError, match=message) as caught:
        found(OneLabel, labels)
    assert str(caught.value).startswith(
        'task mood: no label_list is given, and the column "mood_label" of the training data '
    )


def test_tags_begin_with_o():
    rows = [["B-PER", "O"], None, ["O", None, "I-LOC"], [], ["B-LOC", ""]]
    assert found(TagPerWord, rows) == {"label_list": ["O", "B-LOC", "B-PER", "I-LOC"]}
    assert found(TagPerWord, [["10", "9"], ["0"]]) == {"label_list": ["0", "9", "10"]}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["O"], ["O", "O"]], 'holds only the tag "O"; a tagger needs at least two'),
        ([["O"], ["B-PER", "o"]], r'"O" in train\.tsv:2 and "o" in train\.tsv:3, which look like one label'),
        ([[]], "holds no labels"),
        ([[f"word{number}"] for number in range(30)], "holds 30 labels in 30 rows"),
    ],
)
def test_what_is_no_column_of_tags(rows, message):
    with pytest.raises(DataProblemError, match=message):
        found(TagPerWord, rows)


def test_labels_are_logged_with_what_is_odd_about_them(caplog):
    caplog.set_level(logging.INFO)
    found(OneLabel, ["b", "None"] * 12 + ["a"])
    assert [record.getMessage() for record in caplog.records] == [
        "mood: labels (3): None, a, b",
        'task mood, column "mood_label": "None" may stand for a missing label',
        'task mood, column "mood_label": these labels have a single row: "a" (train.tsv:26)',
    ]
    caplog.clear()
    found(OneLabel, [f"label {number}" for number in range(51)] * 2)
    assert "51 labels are many: is it the right column?" in caplog.text
    caplog.clear()
    found(SeveralLabels, ["[1, 0, 1]", "[0, 0, 1]"])
    assert "mood: labels (3): 0, 1, 2 (zeros and ones by place; label_list names them)" in caplog.text

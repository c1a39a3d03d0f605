"""Labels of all kinds: how often each occurs, whether there is something to learn, weights."""

import numpy as np
import pytest

from farm_ray.data_handler.data_silo.quarantine import source_rows
from farm_ray.data_handler.data_silo.statistics import (
    check_label_variety,
    class_weights,
    labels_without_rows,
)
from farm_ray.errors import DataProblemError
from tests.data_handler.data_silo.feature_tables import features, tags
from tests.tasks.making import make_task

NER = ["[PAD]", "X", "O", "B-PER", "I-PER"]


def task(kind, labels):
    return make_task("label", task_type=kind, label_list=labels, label_name="label")


def rows_of(labels):
    return features([str(n) for n in range(len(labels))], label_ids=labels)


def counts_of(rows, of_task):
    return of_task.labels.counts(rows, of_task)


ONE = ("classification", ["a", "b", "c"], [0, 1, 0, -100])
SEVERAL = ("multilabel_classification", ["a", "b", "c"], [[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 1]])
SINGLE = ("multilabel_classification", ["toxic"], [[1], [0], [1], [1]])
WORDS = ("token_classification", NER, tags([[1, 2, 3, 1], [1, 4, -100, 2, 1]]))
WITHOUT_X = ("token_classification", ["O", "B-PER"], tags([[-100, 0, 1, -100], [-100, 0, -100]]))


@pytest.mark.parametrize(
    ("case", "counts"),
    [(ONE, [2, 1, 0]), (SEVERAL, [3, 0, 2]), (SINGLE, [3]), (WORDS, [0, 4, 2, 1, 1]), (WITHOUT_X, [2, 1])],
)
def test_counts(case, counts):
    kind, labels, column = case
    found = counts_of(rows_of(column), task(kind, labels))
    assert found.tolist() == counts
    assert found.dtype == np.int64


def test_counts_are_of_the_rows_of_the_set():
    rows = rows_of(WORDS[2]).subset(np.array([1]))
    assert counts_of(rows, task(*WORDS[:2])).tolist() == [0, 2, 1, 0, 1]


def test_weights_are_balanced_with_one_more_of_each_class():
    assert class_weights(np.array([3, 1])).tolist() == [0.75, 1.5]
    assert class_weights(np.array([3, 0, 9])).tolist() == pytest.approx([15 / 12, 5.0, 0.5])


@pytest.mark.parametrize(
    ("kind", "labels", "column", "told"),
    [
        ("classification", ["a", "b"], [1, 1], 'all 2 training rows have the same label "b" in column "label"'),
        ("multilabel_classification", ["a", "b", "c"], [[1, 0, 1]] * 2, 'the same labels "a,c"'),
        ("multilabel_classification", ["a", "b"], [[0, 0]] * 2, "have no label in"),
        ("regression", [4.5, 2.0], [0.25, 0.25], "the same number 5 in"),
        ("regression", [], [0.25, 0.25], "the same number 0.25 in"),
        ("token_classification", NER, tags([[1, 2, 2], [1, 2, -100]]), 'only the tag "O"'),
        ("token_classification", NER, tags([[1], [1]]), "no tags"),
    ],
)
def test_there_is_nothing_to_learn_where_all_rows_are_alike(kind, labels, column, told):
    with pytest.raises(DataProblemError, match=f"task t: .*{told}"):
        check_label_variety(rows_of(column), {"t": task(kind, labels)})


@pytest.mark.parametrize(
    "case",
    [ONE, SEVERAL, SINGLE, WORDS, WITHOUT_X, ("regression", [4.5, 2.0], [0.25, 0.5]), (None, ["a", "b"], [1, 1])],
)
def test_there_is_something_to_learn(case):
    check_label_variety(rows_of(case[2]), {"t": task(*case[:2])})
    check_label_variety(features(["1"]), {"t": task(*case[:2])})


def test_labels_that_no_training_row_has():
    sets = {"train": rows_of([0, 0, 1]), "dev": rows_of([2]), "test": None}
    (told,) = labels_without_rows(sets, {"t": task("classification", ["a", "b", "c", "d"])})
    assert "task t: the labels [c, d] have no training row" in told
    assert "(dev or test hold [c])" in told
    (told,) = labels_without_rows({"train": sets["train"], "dev": None}, {"t": task("classification", ["a", "b", "c"])})
    assert "dev or test" not in told


def test_x_and_pad_are_no_tags_to_learn():
    sets = {"train": rows_of(WITHOUT_X[2])}
    assert labels_without_rows(sets, {"t": task("token_classification", ["O", "B-PER", "X", "[PAD]"])}) == []
    (told,) = labels_without_rows(sets, {"t": task("token_classification", ["O", "B-PER", "X", "I-PER"])})
    assert "[I-PER]" in told
    assert labels_without_rows(sets, {"t": task("regression", [0.0, 1.0])}) == []


def test_windows_are_of_one_source_row():
    assert source_rows(features(["a-0", "a-1", "b-0"], windows=[0, 1, 0]).table) == 2
    assert source_rows(features(["a", "b"]).table) == 2

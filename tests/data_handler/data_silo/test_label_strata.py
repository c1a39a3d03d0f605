"""Labels as strata: by type of task, from the task's own column."""

import numpy as np
import pyarrow as pa
import pytest

from farm_ray.data_handler.data_silo.label_strata import label_columns, rare_labels
from farm_ray.data_handler.data_silo.pooling import Units
from tests.data_handler.data_silo.feature_tables import features, tags
from tests.tasks.making import make_task

NER = ["X", "O", "B-PER", "I-PER", "B-LOC"]


def task(kind, labels, column="label_ids"):
    return make_task("label", task_type=kind, label_list=labels, label_tensor_name=column)


def columns_of(rows, *tasks, n_parts=2):
    return label_columns(Units.of(rows), dict(enumerate(tasks)), n_parts=n_parts)


def test_one_label_and_several_labels():
    rows = features(["a", "b", "c"], first_ids=[2, 0, 1], second_ids=[[1, 0], [1, 1], [0, 0]])
    first = task("classification", ["x", "y", "z"], "first_ids")
    second = task("multilabel_classification", ["p", "q"], "second_ids")
    assert columns_of(rows, first, second).tolist() == [[2, 1, 0], [0, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize(("n", "bins"), [(100, 10), (20, 4), (4, 1)])
def test_numbers_fall_into_bins_of_about_one_size(n, bins):
    values = np.random.default_rng(0).normal(size=n).astype(np.float32)
    found = columns_of(features([str(i) for i in range(n)], label_ids=values), task("regression", [0, 1]), n_parts=5)
    assert np.ptp(np.bincount(found.ravel(), minlength=bins)) <= 1
    assert found.max() == bins - 1
    assert (np.diff(found.ravel()[np.argsort(values)]) >= 0).all()


def test_numbers_that_are_often_the_same():
    found = columns_of(
        features([str(i) for i in range(40)], label_ids=[4.0] * 30 + [5.0] * 10), task("regression", [0, 1])
    )
    assert len(np.unique(found)) == 2


def test_texts_are_alike_where_they_have_the_same_types_of_entities():
    column = tags([[-100, 1, 2, 3, -100], [-100, 4, -100], [0, 1, 0], [2, 2], [1, 1]])
    rows = features(["a-0", "a-1", "b-0", "c-0", "d-0"], windows=[0, 1, 0, 0, 0], label_ids=column)
    found = columns_of(rows, task("token_classification", NER))
    assert found.tolist() == [[1, 1], [0, 0], [1, 0], [0, 0]]
    assert columns_of(rows.subset([1, 3]), task("token_classification", NER)).tolist() == [[0, 1], [1, 0]]


def test_tags_in_chunks_in_slices_and_in_rows_with_problems():
    whole = tags([[2], None, [1], [4], [], [3, 1]])
    column = pa.chunked_array([whole.slice(0, 2), whole.slice(2, 3), whole.slice(5)])
    rows = features(list("abcdef"), label_ids=column).subset([0, 3, 4, 5])
    assert columns_of(rows, task("token_classification", NER)).tolist() == [[1, 0], [0, 1], [0, 0], [1, 0]]


def test_without_labels_there_is_nothing_to_stratify_by():
    assert columns_of(features(["a", "b"]), task("classification", ["x", "y"])) is None
    only_o = features(["a", "b"], label_ids=tags([[0], [0, 0]]))
    assert columns_of(only_o, task("token_classification", ["O", "X"])) is None


def test_rare_labels_are_named():
    rows = features(
        [str(n) for n in range(9)],
        one_ids=[0] * 6 + [1] * 3,
        many_ids=[[1, 0]] * 8 + [[0, 1]],
        word_ids=tags([[2, 3]] * 7 + [[4]] * 2),
        number_ids=[0.5] * 9,
    )
    tasks = {
        "one": task("classification", ["x", "y", "never"], "one_ids"),
        "many": task("multilabel_classification", ["p", "q"], "many_ids"),
        "words": task("token_classification", NER, "word_ids"),
        "number": task("regression", [0, 1], "number_ids"),
        "absent": task("classification", ["x", "y"], "absent_ids"),
    }
    told = rare_labels(Units.of(rows), tasks, n_parts=4)
    assert ["[y (3)]" in told[0], "[q (1)]" in told[1], "[LOC (2)]" in told[2], len(told)] == [True, True, True, 3]
    assert rare_labels(Units.of(rows), tasks, n_parts=1) == []

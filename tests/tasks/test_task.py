import pickle

import pandas as pd
import pytest

from farm_ray.errors import ConfigError
from farm_ray.tasks.saved import loaded_task
from farm_ray.tasks.task import check_names
from tests.tasks.making import make_task


def test_the_keys_that_heads_read():
    assert make_task("sent", metric=["acc"], label_list=("a", 1), label_column_name="label") == {
        "label_list": ["a", "1"],
        "metric": ["acc"],
        "label_tensor_name": "sent_label_ids",
        "label_name": "sent_label",
        "label_column_name": "label",
        "text_column_name": None,
        "task_type": None,
    }


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


def test_multilabel_tasks_may_have_one_label_but_no_commas():
    kind = "multilabel_classification"
    assert make_task("tox", metric="acc", label_list=["toxic"], task_type=kind)["label_list"] == ["toxic"]
    with pytest.raises(ConfigError, match=r"'a,b' .* hold a comma"):
        make_task("tox", metric="acc", label_list=["a,b", "c"], task_type=kind)


def test_metrics_are_names_or_functions():
    assert make_task("sent", metric=["acc", len], label_list=["a", "b"])["metric"] == ["acc", len]
    with pytest.raises(ConfigError, match="must be a name, a function or a list of them, not 3"):
        make_task("sent", metric=["acc", 3], label_list=["a", "b"])


def test_two_tasks_cannot_share_a_label_name():
    task = make_task("one", metric="acc", label_list=["a", "b"], label_name="label")
    check_names("one", task, {"one": task})
    with pytest.raises(ConfigError, match='"one" and "two" both have label_name "label"'):
        check_names("two", task, {"one": task})


@pytest.mark.parametrize("label_list", [[], None, [None, None]])
def test_a_regression_may_wait_for_its_mean_and_scale(label_list):
    assert make_task("stars", metric="mse", label_list=label_list, task_type="regression")["label_list"] == []


@pytest.mark.parametrize("label_list", [["a", "b"], [1.0], [1, 2, 3], [1, 0], [0, float("nan")], [None, 2], "mse"])
def test_mean_and_scale_that_cannot_be_meant(label_list):
    with pytest.raises(ConfigError, match=r'label_list of the regression "stars" is .* measured on the training data'):
        make_task("stars", metric="mse", label_list=label_list, task_type="regression")


def test_saved_tasks_of_farm_keep_their_values():
    """The mean and scale of a regression stand where others have labels."""
    fields = {"label_list": [4.75, 0.433], "metric": "mse", "label_tensor_name": "regression_label_ids", "extra": 1}
    task = loaded_task("regression", {**fields, "task_type": "regression"})
    assert task["label_list"] == [4.75, 0.433]
    assert task["label_tensor_name"] == "regression_label_ids"
    assert "extra" not in task


def test_a_task_reads_like_farm_s_dict_and_cannot_be_changed():
    task = make_task("sent", metric="acc", label_list=["a", "b"], task_type="classification")
    assert dict(task) == {**task}
    assert (task["label_list"], task.label_list, task.get("multi_hot", "no")) == (["a", "b"], ("a", "b"), "no")
    assert "spec" not in task
    with pytest.raises(KeyError):
        task["spec"]
    with pytest.raises(TypeError):
        task["metric"] = "f1_macro"
    with pytest.raises(AttributeError):
        task.metric = "f1_macro"
    changed = task.changed(label_list=["c", "d"], multi_hot=True)
    assert (changed["label_list"], changed["multi_hot"], task["label_list"]) == (["c", "d"], True, ["a", "b"])
    assert pickle.loads(pickle.dumps(changed)) == changed

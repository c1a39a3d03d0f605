import pickle

import pytest

from farm_ray.errors import ConfigError
from farm_ray.tasks.task import check_names
from tests.raised import raised
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


def test_metrics_are_names_or_functions():
    assert make_task("sent", metric=["acc", len], label_list=["a", "b"])["metric"] == ["acc", len]
    with raised(ConfigError, "invalid-value", value=3, option="metric"):
        make_task("sent", metric=["acc", 3], label_list=["a", "b"])


def test_two_tasks_cannot_share_a_label_name():
    task = make_task("one", metric="acc", label_list=["a", "b"], label_name="label")
    check_names("one", task, {"one": task})
    with raised(ConfigError, "name-is-taken", option="label_name", value="label"):
        check_names("two", task, {"one": task})


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

"""The labels of a language model are the tokenizer's own ids."""

from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.saved import loaded_task
from tests.tasks.making import make_task


def test_the_vocabulary_in_farm_s_folders_is_left_out():
    saved = {"label_list": ["[PAD]", "a", "b"], "label_tensor_name": "lm_label_ids", "metric": "acc"}
    task = loaded_task("lm", saved)
    assert (task.spec, task["label_list"]) == (LANGUAGE_MODELLING, [])
    assert loaded_task("other", {**saved, "task_type": "classification"})["label_list"] == saved["label_list"]


def test_token_ids_stand_for_themselves():
    task = make_task("lm", task_type="language_modelling")
    assert task.labels.ids(task, (5, 7)) == [5, 7]
    assert not task.labels.lacks_labels(task)

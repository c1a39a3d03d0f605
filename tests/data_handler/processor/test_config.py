"""Configurations of processors: what YAML reads, and what a constructor is given."""

import pytest
from pydantic import ValidationError

from farm_ray.data_handler.processor.config import TaskConfig, one_or_all, processor_configs
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessorConfig


def test_whole_numbers_are_labels_and_columns():
    task = TaskConfig(name="a", label_list=[1, "b"], label_column_name=3, metric="acc")
    assert (task.label_list, task.label_column_name, task.metric) == (("1", "b"), "3", ("acc",))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"label_list": [True, False]}, 'put the labels in quotes: ["yes", "no"]'),
        ({"label_list": [1.0, 2.0]}, "YAML reads a label as 1.0"),
        ({"label_list": "good"}, "a list of labels is needed"),
        ({"task_type": "regresion"}, 'did you mean "regression"'),
        ({"task_type": "language_modelling"}, "no such kind of task"),
    ],
)
def test_what_is_no_task_has_a_hint(given, told):
    with pytest.raises(ValidationError) as caught:
        TaskConfig(name="a", **given)
    assert told in str(caught.value)


def test_arguments_are_those_of_the_constructor():
    config = TextClassificationProcessorConfig(label_list=["a", "b"], metric=["acc", "mcc"], delimiter="\\t")
    arguments = config.arguments()
    assert not {"kind", "tasks"} & arguments.keys()
    assert (arguments["label_list"], arguments["metric"], arguments["delimiter"]) == (["a", "b"], ["acc", "mcc"], "\t")
    with_tasks = TextClassificationProcessorConfig(tasks=[TaskConfig(name="a")])
    assert with_tasks.arguments()["metric"] is None
    assert (one_or_all(("acc",)), one_or_all(("acc", "mcc"))) == ("acc", ["acc", "mcc"])


def test_every_configuration_is_known_by_its_processor():
    found = processor_configs()
    assert found["TextClassificationProcessor"] is TextClassificationProcessorConfig
    assert all(kind.model_fields["kind"].default == name for name, kind in found.items())

"""What a head takes from a task, and which tasks it refuses."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head import TextClassificationHead
from farm_ray.modeling.prediction_head.base import head_class
from farm_ray.tasks.table import all_specs

TASK = {"label_list": ["a", "b"], "metric": "acc", "label_tensor_name": "x_ids", "task_type": "classification"}


def test_labels_metric_and_column():
    head = TextClassificationHead(num_labels=2)
    head.connect(TASK)
    assert (head.labels(), head.metric, head.label_tensor_name) == (["a", "b"], "acc", "x_ids")


@pytest.mark.parametrize(
    ("task_type", "fitting"),
    [
        ("multilabel_classification", "MultiLabelTextClassificationHead"),
        ("regression", "RegressionHead"),
        ("token_classification", "TokenClassificationHead"),
    ],
)
def test_a_task_of_another_kind_is_refused_with_the_head_that_fits(task_type, fitting):
    with pytest.raises(
        ConfigError, match=f"is a {task_type}, and TextClassificationHead answers classification; take a {fitting}"
    ):
        TextClassificationHead(num_labels=2).connect({**TASK, "task_type": task_type})


def test_the_head_of_every_kind_of_task_is_there():
    for spec in all_specs():
        assert head_class(spec.head).model_type == spec.head_type

"""What a head takes from a task, and which tasks it refuses."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head import TextClassificationHead

TASK = {"label_list": ["a", "b"], "metric": "acc", "label_tensor_name": "x_ids", "task_type": "classification"}


def test_labels_metric_and_column():
    head = TextClassificationHead(num_labels=2)
    head.connect(TASK)
    assert (head.labels(), head.metric, head.label_tensor_name) == (["a", "b"], "acc", "x_ids")


def test_a_task_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match="multilabel_classification, and TextClassificationHead answers classific"):
        TextClassificationHead(num_labels=2).connect({**TASK, "task_type": "multilabel_classification"})

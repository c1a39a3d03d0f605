"""What heads share: names, width, the processor's task."""

import json
import logging

import pytest

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.prediction_head import PredictionHead, TextClassificationHead
from tests.raised import raised


def test_create_by_name():
    head = PredictionHead.create("TextClassificationHead", [16, 3], class_weights=[1, 2, 3])
    assert (type(head), head.num_labels, head.class_weights) == (TextClassificationHead, 3, [1.0, 2.0, 3.0])
    with pytest.raises(ConfigError, match=r'"TextClasificationHead".*did you mean "TextClassificationHead"'):
        PredictionHead.create("TextClasificationHead", [16, 3])


def test_resize_only_where_the_width_differs():
    head = TextClassificationHead(layer_dims=[16, 8, 3])
    before = head.feed_forward
    head.resize_input(16)
    assert head.feed_forward is before
    head.resize_input(32)
    assert head.layer_dims == [32, 8, 3]
    assert head.feed_forward.feed_forward[0].in_features == 32
    assert head.activation == "gelu"


def test_connect_takes_labels_metric_and_column():
    head = TextClassificationHead(num_labels=2)
    head.connect({"label_list": ["a", "b"], "metric": "acc", "label_tensor_name": "ids"})
    assert (head.label_list, head.metric, head.label_tensor_name) == (["a", "b"], "acc", "ids")


def test_connect_refuses_another_number_of_labels():
    head = TextClassificationHead(num_labels=2)
    with pytest.raises(
        ConfigError, match=r'"text_classification" has 3 labels \(a, b, c\).*num_labels=2; build the head'
    ):
        head.connect({"label_list": ["a", "b", "c"]})
    assert (head.num_labels, head.label_list) == (2, None)


def test_connect_without_labels():
    head = TextClassificationHead(num_labels=2)
    with raised(ConfigError, "labels-not-known", task="text_classification"):
        head.connect({"label_list": None})
    head.label_list = ["a", "b"]
    head.connect({"label_list": None}, require_labels=False)
    assert head.label_list == ["a", "b"]


def test_another_order_of_labels_is_logged_once(caplog):
    head = TextClassificationHead(num_labels=2)
    with caplog.at_level(logging.WARNING):
        head.connect({"label_list": ["a", "b"]})
        assert not caplog.records
        head.connect({"label_list": ["b", "a"]})
        head.connect({"label_list": ["b", "a"]})
    assert [record.getMessage() for record in caplog.records] == [
        'task "text_classification": the head was trained with the labels a, b and is now read as b, a; the order counts'
    ]


def test_a_head_without_weights_file(tmp_path):
    TextClassificationHead(num_labels=2).save(tmp_path)
    (tmp_path / "prediction_head_0.safetensors").unlink()
    with raised(ModelFolderError, "missing-model-file", file="prediction_head_0.safetensors"):
        PredictionHead.load(tmp_path / "prediction_head_0_config.json")
    fresh = PredictionHead.load(tmp_path / "prediction_head_0_config.json", load_weights=False)
    assert fresh.layer_dims == [768, 2]


def test_a_head_this_version_does_not_have(tmp_path):
    (tmp_path / "prediction_head_0_config.json").write_text(json.dumps({"name": "QuestionAnsweringHead"}))
    with raised(ConfigError, "unknown-class", value="QuestionAnsweringHead"):
        PredictionHead.load(tmp_path / "prediction_head_0_config.json")

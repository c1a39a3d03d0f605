"""What a model is besides its weights: only what something is computed by."""

import json

import pytest

from farm_ray.modeling.describe import settings_bytes, settings_of, training_settings_of
from tests.runs import small_model


@pytest.fixture(scope="module")
def model(tiny_folder):
    return small_model(tiny_folder)


def test_settings_are_named_and_plain(model):
    found = settings_of(model)
    assert found.keys() == {
        "settings of the language model",
        "labels of head 0",
        "settings of head 0",
        "lm_output_types",
    }
    assert json.loads(settings_bytes(model)) == json.loads(json.dumps(found, default=str))


@pytest.mark.parametrize(
    ("name", "value", "counts"),
    [
        ("hidden_act", "relu", True),
        ("num_attention_heads", 4, True),
        ("_name_or_path", "elsewhere", False),
        ("architectures", ["BertForMaskedLM"], False),
        ("problem_type", "regression", False),
    ],
)
def test_where_a_configuration_comes_from_does_not_count(model, monkeypatch, name, value, counts):
    before = settings_bytes(model)
    monkeypatch.setattr(model.language_model.model.config, name, value)
    assert (settings_bytes(model) != before) == counts


def test_labels_count_and_a_metric_does_not(model, monkeypatch):
    before = settings_bytes(model)
    (head,) = model.prediction_heads
    monkeypatch.setattr(head, "metric", "mcc")
    assert settings_bytes(model) == before
    monkeypatch.setattr(head, "label_list", ["x", "y", "z"])
    assert settings_bytes(model) != before


def test_frozen_weights_and_dropout_are_of_the_training(tiny_folder):
    model = small_model(tiny_folder)
    assert training_settings_of(model)["frozen weights"] == []
    weight = model.language_model.model.embeddings.word_embeddings.weight
    weight.requires_grad = False
    (frozen,) = training_settings_of(model)["frozen weights"]
    assert frozen.endswith("embeddings.word_embeddings.weight")
    assert settings_of(model) == settings_of(small_model(tiny_folder))

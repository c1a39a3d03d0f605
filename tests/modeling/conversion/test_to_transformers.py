"""To transformers and back: equal weights, equal logits, label names carried; what cannot be converted says so."""

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import (
    TextClassificationHead,
)
from tests.modeling.tiny_models import (
    MODEL_TYPES,
    batch,
    same_weights,
    save_tiny_classifier,
    save_tiny_model,
    transformers_inputs,
)

LABELS = ["NEG", "POS", "NONE"]


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_there_and_back(model_type, tmp_path):
    original = save_tiny_classifier(model_type, tmp_path, LABELS)
    rows = batch(left=model_type == "xlnet")
    inputs = transformers_inputs(original, rows)
    expected = original(**inputs).logits

    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    [back] = ours.convert_to_transformers()

    assert torch.equal(ours(**rows)[0], expected)
    assert same_weights(back, original)
    assert torch.equal(back(**inputs).logits, expected)
    assert ours.prediction_heads[0].label_list == LABELS
    assert back.config.id2label == dict(enumerate(LABELS))
    assert back.config.label2id == {label: n for n, label in enumerate(LABELS)}


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_a_new_model_saved_by_us_and_by_transformers_gives_the_same(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path / "base")
    head = TextClassificationHead(num_labels=3)
    made = AdaptiveModel(LanguageModel.load(tmp_path / "base"), [head], 0.3, "per_sequence", "cpu").eval()
    for weight in made.parameters():
        weight.add_(torch.randn_like(weight) * 0.05)
    rows = batch(left=model_type == "xlnet")
    expected = made(**rows)[0]

    made.save(tmp_path / "ours")
    loaded = AdaptiveModel.load(tmp_path / "ours", "cpu")
    loaded.convert_to_transformers()[0].save_pretrained(tmp_path / "theirs")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "theirs")

    assert torch.equal(loaded(**rows)[0], expected)
    assert torch.equal(theirs(**transformers_inputs(theirs, rows)).logits, expected)
    assert AdaptiveModel.convert_from_transformers(tmp_path / "theirs", "cpu").embeds_dropout_prob == 0.3


def test_a_head_of_two_layers_is_left_out(tmp_path, caplog):
    save_tiny_model("bert", tmp_path)
    heads = [TextClassificationHead(layer_dims=[32, 8, 2]), TextClassificationHead(num_labels=2, task_name="other")]
    model = AdaptiveModel(LanguageModel.load(tmp_path), heads, 0.1, "per_sequence", "cpu")
    assert len(model.convert_to_transformers()) == 1
    assert "[32, 8, 2]" in caplog.text

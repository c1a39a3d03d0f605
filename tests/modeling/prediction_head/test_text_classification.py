"""One label per row: loss, predictions, FARM's JSON, files."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.prediction_head import PredictionHead, TextClassificationHead
from tests.raised import raised

LOGITS = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
GOLD = {"text_classification_label_ids": torch.tensor([[0], [0], [1]])}


def head(**settings):
    made = TextClassificationHead(**({"layer_dims": [4, 2]} | settings))
    made.label_list = ["OTHER", "OFFENSE"]
    return made


def test_loss_of_each_row():
    expected = [math.log(1 + math.exp(-2)), math.log(1 + math.exp(1)), math.log(2)]
    losses = head().logits_to_loss(LOGITS, **GOLD)
    assert losses.dtype == torch.float32
    assert losses.tolist() == pytest.approx(expected)


def test_ignored_rows_cost_nothing():
    gold = {"text_classification_label_ids": torch.tensor([[0], [-100], [1]])}
    assert head().logits_to_loss(LOGITS, **gold)[1] == 0


def test_predictions_and_labels():
    made = head()
    assert made.logits_to_preds(LOGITS, **GOLD) == ["OTHER", "OFFENSE", "OTHER"]
    assert made.prepare_labels(**GOLD) == ["OTHER", "OTHER", "OFFENSE"]
    probs = made.logits_to_probs(LOGITS)
    assert (probs.dtype, probs.shape) == (np.float32, (3, 2))
    assert probs.sum(axis=1) == pytest.approx([1, 1, 1])


def test_farm_s_json():
    one = head().formatted_preds(LOGITS[:1], ["Ein Text"])
    probability = 1 / (1 + math.exp(-2))
    assert one == {
        "task": "text_classification",
        "task_name": "text_classification",
        "predictions": [
            {
                "start": None,
                "end": None,
                "context": "Ein Text",
                "label": "OTHER",
                "probability": pytest.approx(probability),
            }
        ],
    }
    [every] = head().formatted_preds(LOGITS[:1], ["Ein Text"], return_class_probs=True)["predictions"]
    assert every["label"] == "class_probabilities"
    assert every["probability"].tolist() == pytest.approx([probability, 1 - probability])


def test_logits_per_row_and_what_is_made_of_them():
    made = head()
    rows = made.logits_per_row(LOGITS.bfloat16(), **GOLD)
    assert [(row.dtype, row.tolist()) for row in rows] == [(np.float32, row) for row in LOGITS.tolist()]
    formatted = made.format_rows(rows, ["a", "b", "c"])["predictions"]
    assert [one["label"] for one in formatted] == made.logits_to_preds(LOGITS)
    assert made.format_rows([], []) == {
        "task": "text_classification",
        "task_name": "text_classification",
        "predictions": [],
    }


def test_a_missing_label_column_is_told():
    with pytest.raises(
        ConfigError, match=r'needs the column "text_classification_label_ids".*did you mean "text_class'
    ):
        head().logits_to_loss(LOGITS, text_classification_labels_ids=GOLD)


def test_labels_are_needed_for_predictions():
    with pytest.raises(ConfigError, match="connect_heads_with_processor"):
        TextClassificationHead(num_labels=2).logits_to_preds(LOGITS)


def test_round_trip(tmp_path):
    made = head(layer_dims=[4, 3, 2], class_weights=[1.0, 2.5], task_name="tone")
    made.metric = "f1_macro"
    made.save(tmp_path, 3)
    again = PredictionHead.load(tmp_path / "prediction_head_3_config.json")
    inputs = torch.randn(5, 4)
    gold = {"tone_label_ids": torch.tensor([0, 1, 1, 0, 1])}
    assert torch.equal(again(inputs), made(inputs))
    assert torch.equal(again.logits_to_loss(again(inputs), **gold), made.logits_to_loss(made(inputs), **gold))
    assert again.describe() == made.describe()
    assert again.activation == "gelu"
    assert set(load_file(tmp_path / "prediction_head_3.safetensors")) == set(made.state_dict())


def test_strict_loading_names_what_is_missing(tmp_path):
    head().save(tmp_path)
    described = json.loads((tmp_path / "prediction_head_0_config.json").read_text())
    (tmp_path / "prediction_head_0_config.json").write_text(json.dumps(described | {"layer_dims": [4, 3, 2]}))
    with pytest.raises(ModelFolderError, match=r"prediction_head_0\.safetensors lacks .*feed_forward\.1\.weight"):
        TextClassificationHead.load(tmp_path / "prediction_head_0_config.json")
    (tmp_path / "prediction_head_0_config.json").write_text(json.dumps(described | {"layer_dims": [5, 2]}))
    with raised(ModelFolderError, "cannot-read-model", file="prediction_head_0.safetensors"):
        TextClassificationHead.load(tmp_path / "prediction_head_0_config.json")

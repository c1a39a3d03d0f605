"""One number per row: scaling, loss, predictions, FARM's JSON, files."""

import logging

import numpy as np
import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head import PredictionHead, RegressionHead
from tests.modeling.tiny_models import save_farm_head
from tests.raised import raised

TASK = {
    "label_list": [4.75, 0.5],
    "metric": "mse",
    "label_tensor_name": "regression_label_ids",
    "task_type": "regression",
}
LOGITS = torch.tensor([[0.0], [1.0], [-2.5]])
GOLD = {"regression_label_ids": torch.tensor([[0.5], [1.0], [-1.5]])}


def head(**settings):
    made = RegressionHead(**({"layer_dims": [4, 1]} | settings))
    made.connect(TASK)
    return made


def test_squared_error_of_each_row_in_scaled_units():
    losses = head().logits_to_loss(LOGITS, **GOLD)
    assert losses.dtype == torch.float32
    assert losses.tolist() == [0.25, 0.0, 1.0]
    flat = {"regression_label_ids": GOLD["regression_label_ids"].reshape(-1)}
    assert torch.equal(head().logits_to_loss(LOGITS, **flat), losses)


def test_predictions_and_labels_are_in_the_labels_unit():
    assert head().logits_to_preds(LOGITS) == [4.75, 5.25, 3.5]
    assert head().prepare_labels(**GOLD) == [5.0, 5.25, 4.0]


def test_without_a_task_nothing_is_scaled():
    assert RegressionHead().logits_to_preds(LOGITS) == [0.0, 1.0, -2.5]


def test_farm_s_json():
    made = head().formatted_preds(LOGITS[:1], ["Ein Text"])
    assert made == {
        "task": "regression",
        "task_name": "regression",
        "predictions": [{"context": "Ein Text", "pred": 4.75}],
    }
    assert isinstance(made["predictions"][0]["pred"], np.float32)
    assert head().formatted_preds(LOGITS[:0], [])["predictions"] == []


def test_mean_and_scale_are_saved(tmp_path):
    made = head(layer_dims=[4, 3, 1])
    made.save(tmp_path)
    again = PredictionHead.load(tmp_path / "prediction_head_0_config.json")
    inputs = torch.randn(5, 4)
    assert again.logits_to_preds(again(inputs)) == made.logits_to_preds(made(inputs))
    assert (again.mean, again.scale) == (4.75, 0.5)
    assert again.describe() == made.describe()


def test_a_farm_head(tmp_path):
    names = {"name": "RegressionHead", "task": "regression", "model_type": "regression"}
    save_farm_head(
        tmp_path, **names, output_type="per_sequence_continuous", layer_dims=(4, 1), labels=(4.75, 0.4330127018922193)
    )
    made = PredictionHead.load(tmp_path / "prediction_head_0_config.json")
    assert (type(made), made.mean, made.scale) == (RegressionHead, 4.75, 0.4330127018922193)


@pytest.mark.parametrize("labels", [["low", "high"], [1.0], [1.0, 0.0], [float("nan"), 1.0], [None, None]])
def test_a_label_list_that_is_no_mean_and_scale(labels):
    with raised(ConfigError, "wrong-scaling", task="regression"):
        RegressionHead().connect(TASK | {"label_list": labels})


def test_a_task_without_its_scaling():
    with raised(ConfigError, "labels-not-known"):
        RegressionHead().connect(TASK | {"label_list": []})
    made = head()
    made.connect(TASK | {"label_list": []}, require_labels=False)
    assert (made.mean, made.scale) == (4.75, 0.5)


def test_another_scaling_is_logged(caplog):
    made = head()
    with caplog.at_level(logging.WARNING):
        made.connect(TASK)
        assert not caplog.records
        made.connect(TASK | {"label_list": [0.0, 1.0]})
    assert "trained with the labels 4.75, 0.5 and is now read as 0.0, 1.0" in caplog.text


def test_probabilities_and_class_weights_have_no_meaning():
    with raised(ConfigError, "no-probabilities", task="regression", value="regression"):
        head().logits_to_probs(LOGITS)
    with pytest.raises(TypeError, match="class_weights"):
        PredictionHead.create("RegressionHead", [4, 1], class_weights=[1.0])
    assert PredictionHead.create("RegressionHead", [4, 1]).layer_dims == [4, 1]


def test_one_output_only():
    with raised(ConfigError, "wrong-widths", value=[768, 2]):
        RegressionHead([768, 2])


def test_logits_per_row():
    rows = head().logits_per_row(LOGITS)
    assert [row.tolist() for row in rows] == [[0.0], [1.0], [-2.5]]
    assert rows[0].dtype == np.float32

"""Any number of labels per row: loss, threshold, FARM's JSON, files."""

import math

import numpy as np
import pytest
import torch

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.prediction_head import MultiLabelTextClassificationHead, PredictionHead
from tests.modeling.tiny_models import save_farm_head
from tests.raised import raised

LOGITS = torch.tensor([[2.0, -1.0, 0.0], [-3.0, -1.0, -2.0]])
GOLD = {"text_classification_label_ids": torch.tensor([[1, 0, 1], [0, 0, 1]])}
TASK = {
    "label_list": ["toxic", "threat", "insult"],
    "metric": "f1_micro",
    "label_tensor_name": "text_classification_label_ids",
    "task_type": "multilabel_classification",
}


def head(**settings):
    made = MultiLabelTextClassificationHead(**({"layer_dims": [4, 3]} | settings))
    made.connect(TASK)
    return made


def cell(logit, gold, weight=1.0):
    """Binary cross entropy of one label."""
    probability = 1 / (1 + math.exp(-logit))
    return -weight * math.log(probability) if gold else -math.log(1 - probability)


@pytest.mark.parametrize("weights", [None, [1.0, 4.0, 2.5], np.array([1.0, 4.0, 2.5], np.float32)])
def test_mean_over_labels_of_each_row_with_weights_where_a_label_applies(weights):
    losses = head(class_weights=weights).logits_to_loss(LOGITS, **GOLD)
    each = [1.0] * 3 if weights is None else weights
    golds = GOLD["text_classification_label_ids"].tolist()
    expected = [sum(map(cell, logits, gold, each)) / 3 for logits, gold in zip(LOGITS.tolist(), golds, strict=True)]
    assert losses.dtype == torch.float32
    assert losses.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("reduction", "join"), [("mean", torch.mean), ("sum", torch.sum)])
def test_reductions(reduction, join):
    single = head(loss_reduction=reduction).logits_to_loss(LOGITS, **GOLD)
    torch.testing.assert_close(single, join(head().logits_to_loss(LOGITS, **GOLD)))


def test_predictions_are_above_the_threshold():
    assert head().logits_to_preds(LOGITS) == [[1, 0, 0], [0, 0, 0]], "a probability of one half is not above one half"
    assert head(pred_threshold=0.2).logits_to_preds(LOGITS) == [[1, 1, 1], [0, 1, 0]]
    assert head().prepare_labels(**GOLD) == [[1, 0, 1], [0, 0, 1]]


def test_farm_s_json():
    made = head(pred_threshold=0.2).formatted_preds(LOGITS, ["a", "b"])
    assert (made["task"], made["task_name"]) == ("text_classification", "text_classification")
    first, second = made["predictions"]
    assert (first["label"], second["label"]) == ("['toxic', 'threat', 'insult']", "['threat']")
    assert (first["context"], first["start"], first["end"]) == ("a", None, None)
    assert first["probability"].dtype == np.float32
    assert first["probability"].tolist() == pytest.approx([1 / (1 + math.exp(-x)) for x in LOGITS[0].tolist()])
    assert head().formatted_preds(LOGITS[1:], ["b"])["predictions"][0]["label"] == "[]"


def test_labels_that_are_no_zeros_and_ones():
    with raised(DataProblemError, "no-such-label-id", value=2):
        head().prepare_labels(text_classification_label_ids=torch.tensor([[0, 2, 1]]))
    with raised(ConfigError, "wrong-label-shape", value=[2, 1]):
        head().logits_to_loss(LOGITS, text_classification_label_ids=torch.tensor([[0], [1]]))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"layer_dims": None}, ValueError, "MultiLabelTextClassificationHead needs num_labels"),
        ({"pred_threshold": 1.5}, ConfigError, "pred_threshold is a probability"),
        ({"class_weights": [1.0, -1.0, 1.0]}, ConfigError, "holds -1.0; a weight is 0 or more"),
        ({"class_weights": [1.0, float("nan"), 1.0]}, ConfigError, "holds nan"),
        ({"threshold": 0.5}, TypeError, 'did you mean "pred_threshold"'),
    ],
)
def test_wrong_arguments(settings, error, message):
    with pytest.raises(error, match=message):
        head(**settings)


def test_a_farm_head_with_class_weights(tmp_path):
    save_farm_head(
        tmp_path,
        name="MultiLabelTextClassificationHead",
        model_type="multilabel_text_classification",
        tensors={"loss_fct.pos_weight": torch.tensor([0.5, 2.0, 3.0])},
        layer_dims=(4, 3),
        labels=TASK["label_list"],
    )
    made = PredictionHead.load(tmp_path / "prediction_head_0_config.json")
    assert (made.class_weights, made.pred_threshold, made.label_list) == ([0.5, 2.0, 3.0], 0.5, TASK["label_list"])
    expected = head(class_weights=[0.5, 2.0, 3.0]).logits_to_loss(LOGITS, **GOLD)
    assert torch.equal(made.logits_to_loss(LOGITS, **GOLD), expected)

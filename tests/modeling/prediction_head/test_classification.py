"""What heads with a list of labels share."""

import numpy as np
import pytest
import torch

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.prediction_head import PredictionHead, TextClassificationHead
from tests.modeling.prediction_head.test_text_classification import GOLD, LOGITS, head
from tests.modeling.tiny_models import save_farm_model
from tests.raised import raised


@pytest.mark.parametrize("weights", [[1.0, 3.0], np.array([1.0, 3.0]), torch.tensor([1, 3])])
def test_class_weights(weights):
    plain, weighted = head().logits_to_loss(LOGITS, **GOLD), head(class_weights=weights).logits_to_loss(LOGITS, **GOLD)
    assert (weighted / plain).tolist() == pytest.approx([1, 1, 3])


@pytest.mark.parametrize("label_id", [-100, 2])
def test_a_label_outside_of_the_list_is_told(label_id):
    with raised(DataProblemError, "no-such-label-id", value=label_id):
        head().prepare_labels(text_classification_label_ids=torch.tensor([[0], [label_id]]))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, ValueError, "needs num_labels"),
        ({"num_labels": 2, "class_weights": [[1.0, 2.0]]}, ValueError, r"not of shape \[1, 2\]"),
        ({"num_labels": 2, "class_weights": [1.0]}, ConfigError, "1 values for 2 labels"),
        ({"num_labels": 3, "layer_dims": [768, 2]}, ConfigError, "num_labels=3"),
        ({"layer_dims": [768]}, ConfigError, "input and an output width"),
        ({"num_label": 3}, TypeError, 'did you mean "num_labels"'),
    ],
)
def test_wrong_arguments(settings, error, message):
    with pytest.raises(error, match=message):
        TextClassificationHead(**settings)


def test_a_farm_head_stays_linear_and_keeps_its_class_weights(tmp_path):
    save_farm_model(tmp_path, layer_dims=(32, 8, 2), class_weights=[0.5, 2.0])
    made = PredictionHead.load(tmp_path / "prediction_head_0_config.json")
    assert (made.activation, len(made.feed_forward.feed_forward)) == (None, 2)
    assert made.class_weights == [0.5, 2.0]
    made.save(tmp_path / "ours")
    again = PredictionHead.load(tmp_path / "ours" / "prediction_head_0_config.json")
    inputs = torch.randn(3, 32)
    assert torch.equal(again(inputs), made(inputs))
    assert torch.equal(again.logits_to_loss(LOGITS, **GOLD), made.logits_to_loss(LOGITS, **GOLD))

"""Heads whose weights come from transformers."""

import torch

from farm_ray.modeling.prediction_head import TextClassificationHead
from tests.modeling.tiny_models import save_tiny_classifier


def test_the_classifier_of_a_transformers_model(tmp_path):
    hf = save_tiny_classifier("roberta", tmp_path, ["a", "b", "c"])
    made = TextClassificationHead.load(tmp_path)
    assert torch.equal(made.feed_forward.feed_forward[0].weight, hf.classifier.out_proj.weight)
    assert made.label_list == ["a", "b", "c"]

"""Transformers models around encoders of ours."""

import torch

from farm_ray.modeling.adaptive_model import AdaptiveModel
from tests.modeling.tiny_models import (
    save_tiny_classifier,
)


def test_conversion_leaves_the_random_numbers_alone(tmp_path):
    save_tiny_classifier("bert", tmp_path)
    model = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    state = torch.get_rng_state()
    model.convert_to_transformers()
    assert torch.equal(torch.get_rng_state(), state)

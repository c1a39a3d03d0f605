"""FARM's classes: which model types they stand for, and what they do otherwise."""

import pytest
import torch

from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.language_model.class_names import class_by_model_type
from tests.modeling.tiny_models import save_tiny_model


@pytest.mark.parametrize(("model_type", "name"), [("xlnet", "XLNet"), ("big_bird", "BigBird"), ("mpnet", "Encoder")])
def test_the_class_of_a_model_type(model_type, name):
    assert class_by_model_type(LanguageModel, model_type).__name__ == name


def test_distilbert_takes_the_mask_second_as_in_farm(tmp_path):
    save_tiny_model("distilbert", tmp_path)
    model = LanguageModel.load(tmp_path)
    ids, mask = torch.tensor([[2, 5, 3, 0, 0]]), torch.tensor([[1, 1, 1, 0, 0]])
    with torch.inference_mode():
        by_place, by_name = model(ids, mask)[0], model(ids, padding_mask=mask)[0]
        assert torch.equal(by_place, by_name)
        assert not torch.allclose(by_place, model(ids)[0])

"""Where the weights of an encoder stand."""

import pytest

from farm_ray.modeling.language_model import LanguageModel
from tests.modeling.tiny_models import MODEL_TYPES, save_tiny_model


def trained(model):
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_layers_can_be_frozen_in_every_type(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path)
    model = LanguageModel.load(tmp_path)
    before = trained(model)
    model.freeze(layers=1)
    frozen = before - trained(model)
    assert any("embedding" in name for name in frozen)
    assert frozen < before
    model.unfreeze()
    assert trained(model) == before


BELOW_THE_LAYERS = {
    "electra": "model.embeddings_project.weight",
    "albert": "model.encoder.embedding_hidden_mapping_in.weight",
    "deberta-v2": "model.encoder.rel_embeddings.weight",
    "distilbert": "model.embeddings.word_embeddings.weight",
}


ABOVE_THE_LAYERS = {
    "modernbert": "model.final_norm.weight",
    "bert": "model.pooler.dense.weight",
    "roberta": "pooler.dense.weight",
}


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_depths(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path)
    model = LanguageModel.load(tmp_path)
    depths = model.depths()
    layers = 1 if model_type == "albert" else 2
    assert model.separate_layers == layers
    assert depths.keys() == dict(model.named_parameters()).keys()
    assert set(range(layers + 1)) <= set(depths.values()) <= set(range(layers + 2))
    assert depths[BELOW_THE_LAYERS.get(model_type, next(iter(depths)))] == 0
    if model_type in ABOVE_THE_LAYERS:
        assert depths[ABOVE_THE_LAYERS[model_type]] == layers + 1

"""One vector per row: which token, which layers, and that padding does not count."""

import pytest
import torch

from farm_ray.modeling.language_model.pooling import FAMILIES, Pooler, Pooling, default_pooling, fresh_linear
from tests.modeling.tiny_models import MODEL_TYPES, tiny_config

TOKENS = torch.arange(24.0).reshape(2, 4, 3)
RIGHT = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
LEFT = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])


@pytest.mark.parametrize(
    ("source", "mask", "expected"),
    [
        ("first", RIGHT, TOKENS[:, 0]),
        ("last", RIGHT, torch.stack([TOKENS[0, 3], TOKENS[1, 1]])),
        ("last", LEFT, TOKENS[:, 3]),
        ("last", None, TOKENS[:, 3]),
        ("mean", RIGHT, torch.stack([TOKENS[0].mean(0), TOKENS[1, :2].mean(0)])),
        ("mean", LEFT, torch.stack([TOKENS[0].mean(0), TOKENS[1, 2:].mean(0)])),
        ("mean", None, TOKENS.mean(1)),
        ("encoder", RIGHT, TOKENS[:, 2]),
    ],
)
def test_where_the_vector_comes_from(source, mask, expected):
    pooler = Pooler(Pooling(source=source), 3)
    assert torch.equal(pooler(TOKENS, mask, TOKENS[:, 2]), expected)


def test_projection_activation_and_norm_come_in_this_order():
    pooler = Pooler(Pooling(source="first", projection=True, activation="tanh", norm_eps=1e-5), 3)
    expected = pooler.norm(torch.tanh(pooler.dense(TOKENS[:, 0])))
    assert torch.equal(pooler(TOKENS, RIGHT, None), expected)


def test_dropout_is_for_training_only():
    pooler = Pooler(Pooling(source="first", dropout=1.0), 3)
    assert not pooler(TOKENS, RIGHT, None).any()
    assert torch.equal(pooler.eval()(TOKENS, RIGHT, None), TOKENS[:, 0])


def test_fresh_weights():
    torch.manual_seed(0)
    layer = fresh_linear(200, 200, initializer_range=0.05)
    assert layer.weight.std().item() == pytest.approx(0.05, rel=0.05)
    assert not layer.bias.any()


def test_every_tested_type_has_a_family():
    assert set(MODEL_TYPES) == set(FAMILIES)


def test_a_type_without_family():
    config = tiny_config("bert")
    config.model_type = "new"
    assert default_pooling(config, encoder_has_pooler=True, causal=False).source == "encoder"
    assert default_pooling(config, encoder_has_pooler=False, causal=False) == Pooling(source="first")
    assert default_pooling(config, encoder_has_pooler=False, causal=True).source == "last"


def test_modernbert_by_mean():
    config = tiny_config("modernbert", classifier_pooling="mean")
    assert FAMILIES["modernbert"].pooling(config).source == "mean"

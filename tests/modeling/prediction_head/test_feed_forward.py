"""Layers of a head."""

import pytest
import torch

from farm_ray.modeling.prediction_head import FeedForwardBlock


def test_plain_layers_are_one_linear_map():
    block = FeedForwardBlock([3, 5, 2])
    first, second = block.feed_forward
    inputs = torch.randn(4, 3)
    torch.testing.assert_close(block(inputs), inputs @ (second.weight @ first.weight).T)
    assert block.output_dim == 2


def test_an_activation_stands_between_layers_only():
    block = FeedForwardBlock([3, 5, 2], activation="gelu")
    inputs = torch.randn(4, 3)
    first, _, second = block.feed_forward
    assert torch.equal(block(inputs), second(torch.nn.functional.gelu(first(inputs))))
    assert len(FeedForwardBlock([3, 2], activation="gelu").feed_forward) == 1


def test_norms_follow_the_activations_and_biases_can_be_left_out():
    block = FeedForwardBlock([3, 5, 4, 2], activation="gelu", bias=False, norm_eps=1e-3, norm_bias=False)
    kinds = [type(layer).__name__ for layer in block.feed_forward]
    assert kinds == ["Linear", "GELUActivation", "LayerNorm"] * 2 + ["Linear"]
    first, _, norm, *_, last = block.feed_forward
    assert (first.bias, norm.bias, norm.eps) == (None, None, 1e-3)
    assert last.bias is not None


def test_fresh_weights_follow_the_seed():
    torch.manual_seed(5)
    one = FeedForwardBlock([100, 50])
    torch.manual_seed(5)
    two = FeedForwardBlock([100, 50])
    assert torch.equal(one.feed_forward[0].weight, two.feed_forward[0].weight)
    assert one.feed_forward[0].weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert not one.feed_forward[0].bias.any()

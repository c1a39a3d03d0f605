"""The layers of a prediction head. Shapes: the last dimension changes from layer_dims[0] to layer_dims[-1]."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from transformers.activations import ACT2FN

from farm_ray.modeling.language_model.pooling import fresh_linear


class FeedForwardBlock(nn.Module):
    """Linear layers of the given widths, weights normal(0, 0.02), biases zero.

    Args:
        layer_dims: Widths from input to output, at least two.
        activation: Name of an activation between layers, in transformers' table; None: none, as in FARM 0.8.
    """

    def __init__(self, layer_dims: Sequence[int], activation: str | None = None) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(layer_dims):
            if layers and activation is not None:
                layers.append(ACT2FN[activation])
            layers.append(fresh_linear(inputs, outputs))
        self.feed_forward = nn.Sequential(*layers)

    @property
    def output_dim(self) -> int:
        """Width of the output."""
        return self.feed_forward[-1].out_features

    def forward(self, inputs: Tensor) -> Tensor:
        """[..., layer_dims[0]] to [..., layer_dims[-1]]."""
        return self.feed_forward(inputs)

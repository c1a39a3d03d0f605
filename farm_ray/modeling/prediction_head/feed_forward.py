"""The layers of a prediction head. Shapes: the last dimension changes from layer_dims[0] to layer_dims[-1]."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torch import Tensor, nn

from farm_ray.modeling.language_model.pooling import activation_by_name, fresh_linear

if TYPE_CHECKING:
    from collections.abc import Sequence


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
                layers.append(activation_by_name(activation))
            layers.append(fresh_linear(inputs, outputs))
        self.feed_forward = nn.Sequential(*layers)
        self.output_dim = layer_dims[-1]

    def forward(self, inputs: Tensor) -> Tensor:
        """[..., layer_dims[0]] to [..., layer_dims[-1]]."""
        return self.feed_forward(inputs)

"""The layers of a prediction head. Shapes: the last dimension changes from layer_dims[0] to layer_dims[-1]."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torch import Tensor, nn

from farm_ray.configuration import strict_arguments
from farm_ray.modeling.language_model.pooling import activation_by_name, fresh_linear

if TYPE_CHECKING:
    from collections.abc import Sequence


class FeedForwardBlock(nn.Module):
    """Linear layers of the given widths, weights normal(0, 0.02), biases zero.

    Args:
        layer_dims: Widths from input to output, at least two.
        activation: Name of an activation between layers, in transformers' table; None: none, as in FARM 0.8.
        bias: The layers before the last one have a bias.
        norm_eps: Epsilon of a layer norm after each activation; None: no norm.
        norm_bias: The norms have a bias.
    """

    @strict_arguments
    def __init__(
        self,
        layer_dims: Sequence[int],
        activation: str | None = None,
        *,
        bias: bool = True,
        norm_eps: float | None = None,
        norm_bias: bool = True,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        *hidden, last = itertools.pairwise(layer_dims)
        for inputs, outputs in hidden:
            layers.append(fresh_linear(inputs, outputs, bias=bias))
            if activation is not None:
                layers.append(activation_by_name(activation))
            if norm_eps is not None:
                layers.append(nn.LayerNorm(outputs, eps=norm_eps, bias=norm_bias))
        self.feed_forward = nn.Sequential(*layers, fresh_linear(*last))
        self.output_dim = layer_dims[-1]

    def forward(self, inputs: Tensor) -> Tensor:
        """[..., layer_dims[0]] to [..., layer_dims[-1]]."""
        return self.feed_forward(inputs)

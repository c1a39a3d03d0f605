"""Which parameters are trained, how fast each of them is, and which lose weight on the way."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from farm_ray.plain import PlainDict

_LANGUAGE_MODEL = "language_model."


def parameter_groups(
    model: nn.Module,
    no_decay: Sequence[str] = (),
    layer_decay: float | None = None,
    head_learning_rate: float | None = None,
    *,
    learning_rate: float = 1.0,
) -> list[PlainDict]:
    """Parameters with `requires_grad`, in the model's order, as groups for an optimizer.

    Args:
        model: The model.
        no_decay: Parameters whose name contains one of these strings get a group with weight decay 0. A string that
            is found in no name is told in a warning.
        layer_decay: Each layer of the language model learns this many times as fast as the one above it, above 0 up
            to 1; its top layer and pooling at the full rate, the embeddings below the first layer slowest. With n
            layers, layer i of 1 to n has the rate `learning_rate * layer_decay ** (n - i)`, the embeddings that of
            i = 0.
        head_learning_rate: Of all parameters outside of the language model; None: `learning_rate`.
        learning_rate: The full rate that `layer_decay` starts from.

    Returns:
        Without layer_decay and head_learning_rate one group, or two: with the optimizer's weight decay and without.
        With them such groups for each learning rate, `lr`: the language model from the top down, then the rest.

    Raises:
        ConfigError: When the model has no parameter that trains, or the rates depend on a language model that the
            model does not have.
    """
    trained = {name: param for name, param in model.named_parameters() if param.requires_grad}
    if not trained:
        raise ConfigError(
            "the model has no parameter that trains; unfreeze the language model or add a head", code="nothing-to-train"
        )
    unused = [part for part in no_decay if not any(part in name for name in trained)]
    if unused:
        warnings.warn(f"no_decay: no parameter's name contains {', '.join(map(repr, unused))}", stacklevel=3)
    if layer_decay is None and head_learning_rate is None:
        return _by_decay(trained, no_decay)
    rates = _rates(model, layer_decay, head_learning_rate, learning_rate)
    in_head = {name: not name.startswith(_LANGUAGE_MODEL) for name in trained}
    speeds = sorted({(in_head[name], rates[name]) for name in trained}, key=lambda speed: (speed[0], -speed[1]))
    return [
        group | {"lr": speed[1]}
        for speed in speeds
        for group in _by_decay({n: p for n, p in trained.items() if (in_head[n], rates[n]) == speed}, no_decay)
    ]


def _by_decay(trained: PlainDict, no_decay: Sequence[str]) -> list[PlainDict]:
    kept = [param for name, param in trained.items() if any(part in name for part in no_decay)]
    decayed = [param for name, param in trained.items() if not any(part in name for part in no_decay)]
    groups: list[PlainDict] = [{"params": decayed}] if decayed else []
    return [*groups, {"params": kept, "weight_decay": 0.0}] if kept else groups


def _rates(
    model: nn.Module, layer_decay: float | None, head_learning_rate: float | None, learning_rate: float
) -> dict[str, float]:
    """The learning rate of each parameter, by name."""
    language_model = getattr(model, "language_model", None)
    if language_model is None:
        raise ConfigError(
            "layer_decay and head_lr are for a model with a language model and heads; leave them out",
            code="option-without-effect",
            option="layer_decay",
        )
    rates = dict.fromkeys(
        (name for name, _ in model.named_parameters()),
        learning_rate if head_learning_rate is None else head_learning_rate,
    )
    if layer_decay is None:
        return rates | {name: learning_rate for name in rates if name.startswith(_LANGUAGE_MODEL)}
    top: int = language_model.separate_layers
    below_top = {_LANGUAGE_MODEL + name: max(0, top - depth) for name, depth in language_model.depths().items()}
    return rates | {name: learning_rate * layer_decay**layers for name, layers in below_top.items()}

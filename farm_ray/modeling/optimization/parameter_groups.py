"""Which parameters are trained, and which of them lose weight on the way."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


def parameter_groups(model: nn.Module, no_decay: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Parameters with `requires_grad`, in the model's order, as groups for an optimizer.

    Args:
        model: The model.
        no_decay: Parameters whose name contains one of these strings get a group with weight decay 0. A string that
            is found in no name is told in a warning.

    Returns:
        One group, or two: with the optimizer's weight decay and without.

    Raises:
        ConfigError: When the model has no parameter that trains.
    """
    trained = {name: param for name, param in model.named_parameters() if param.requires_grad}
    if not trained:
        raise ConfigError("the model has no parameter that trains; unfreeze the language model or add a head")
    unused = [part for part in no_decay if not any(part in name for name in trained)]
    if unused:
        warnings.warn(f"no_decay: no parameter's name contains {', '.join(map(repr, unused))}", stacklevel=3)
    kept = [param for name, param in trained.items() if any(part in name for part in no_decay)]
    decayed = [param for name, param in trained.items() if not any(part in name for part in no_decay)]
    groups: list[dict[str, Any]] = [{"params": decayed}] if decayed else []
    return [*groups, {"params": kept, "weight_decay": 0.0}] if kept else groups

"""Whether an optimizer's state that a file brings fits the optimizer: fused steps trust shapes, and write past ends."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import torch

from farm_ray.modeling.optimization.optimizers import TransformersAdamW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.plain import PlainMapping

_FUSED = (torch.optim.Adam, torch.optim.SGD, torch.optim.Adagrad, TransformersAdamW)
"""What may compute below Python; elsewhere what does not fit is an error of the step."""
_HELD: tuple[tuple[type[torch.optim.Optimizer], frozenset[str]], ...] = (
    (torch.optim.Adam, frozenset({"step", "exp_avg", "exp_avg_sq"})),
    (TransformersAdamW, frozenset({"step", "exp_avg", "exp_avg_sq"})),
    (torch.optim.Adagrad, frozenset({"step", "sum"})),
)
"""What these hold for a weight after its first step, at least."""
_COUNT = "step"
_MAY_BE_NONE = "momentum_buffer"
"""Of SGD without momentum."""


def check_optimizer_state(optimizer: torch.optim.Optimizer, state: PlainMapping, *, has_stepped: bool = False) -> None:
    """Compares a state dict with the optimizer that is to load it.

    Args:
        optimizer: With its weights.
        state: As its `state_dict()` gave it.
        has_stepped: Whether the weights have surely been changed, so that there must be a state.

    Raises:
        ValueError: When its options are of other kinds, or its tensors are missing or not of the weights' shapes.
        KeyError: When it is no such state.
        TypeError: As KeyError.
    """
    groups = list(zip(state["param_groups"], optimizer.param_groups, strict=True))
    for stored, group in groups:
        _check_options(stored, group)
    if not isinstance(optimizer, _FUSED):
        return
    weights = {
        number: weight
        for stored, group in groups
        for number, weight in zip(stored["params"], group["params"], strict=True)
    }
    for number, held in state["state"].items():
        for name, value in held.items():
            if not _fits(name, value, weights[number]):
                raise ValueError(f"the optimizer's {name} does not fit a weight of {tuple(weights[number].shape)}")
    needed = next((names for kind, names in _HELD if isinstance(optimizer, kind)), frozenset[str]())
    if has_stepped and needed and not state["state"]:
        raise ValueError("the optimizer's state is empty")
    for held in state["state"].values():
        if missing := sorted(needed - held.keys()):
            raise ValueError(f"the optimizer's {missing[0]} is missing")
    if len({frozenset(held) for held in state["state"].values()}) > 1:
        raise ValueError("the optimizer holds other values for some weights than for others")


def _check_options(stored: Mapping[str, object], group: Mapping[str, object]) -> None:
    for name, value in group.items():
        if name != "params" and not _is_alike(stored[name], value):
            raise ValueError(f"the optimizer's {name} is {stored[name]!r:.40}")


def _is_alike(stored: object, value: object) -> bool:
    if isinstance(value, tuple | list):
        return isinstance(stored, tuple | list) and len(stored) == len(value) and all(map(_is_alike, stored, value))
    if isinstance(value, bool) or value is None:
        # Switches that torch sets by itself, for the device.
        return stored is None or isinstance(stored, bool)
    if isinstance(value, Real):
        return isinstance(stored, Real) and not isinstance(stored, bool)
    return isinstance(stored, type(value))


def _fits(name: str, value: object, weight: torch.Tensor) -> bool:
    if isinstance(value, torch.Tensor):
        return value.is_floating_point() and value.shape == (torch.Size() if name == _COUNT else weight.shape)
    return (isinstance(value, Real) and name == _COUNT) or (value is None and name == _MAY_BE_NONE)


def check_scheduler_state(scheduler: torch.optim.lr_scheduler.LRScheduler, state: Mapping[str, object]) -> None:
    """Compares a state dict with the scheduler that is to load it, which takes any entry for an attribute of its own.

    Raises:
        ValueError: When it has other entries, or numbers and lists are of another kind.
    """
    own = scheduler.state_dict()
    if state.keys() != own.keys():
        raise ValueError("the scheduler's entries are others")
    for name, value in own.items():
        if isinstance(value, Real | list) and not isinstance(value, bool) and not _is_alike(state[name], value):
            raise ValueError(f"the scheduler's {name} is {state[name]!r:.40}")

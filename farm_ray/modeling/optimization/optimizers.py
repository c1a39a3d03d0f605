"""Optimizers by name: those of torch.optim, and FARM's default, the AdamW that transformers used to have."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, overload

import torch
from torch import Tensor, nn

from farm_ray.configuration import nearest, strict_arguments
from farm_ray.errors import ConfigError
from farm_ray.modeling.optimization.parameter_groups import parameter_groups

if TYPE_CHECKING:
    from torch.optim.optimizer import ParamsT

    from farm_ray.plain import PlainDict, PlainMapping

DEFAULT_OPTIMIZER: PlainMapping = {"name": "TransformersAdamW", "correct_bias": False, "weight_decay": 0.01}

_APEX = {
    "FusedAdam": "AdamW",
    "FusedSGD": "SGD",
    "FusedAdagrad": "Adagrad",
    "FusedLAMB": "TransformersAdamW",
    "FusedMixedPrecisionLamb": "TransformersAdamW",
    "FusedNovoGrad": "TransformersAdamW",
}
_UNFIT = {
    "LBFGS": "it evaluates the loss several times per step",
    "SparseAdam": "it takes sparse gradients only",
}
_FUSED = ("Adam", "AdamW")
_GROUPING = ("no_decay", "layer_decay", "head_lr")
"""Options that are not the optimizer's own: they put the parameters into groups."""
_LONG_AGO = 1e9
"""A step count at which Adam's bias corrections are exactly 1 in float64."""


class TransformersAdamW(torch.optim.Optimizer):
    """AdamW as transformers had it and BERT was trained: no bias correction unless asked for, eps outside of it.

    Per step: m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= lr m / (sqrt(v) + eps);  then p -= lr wd p.
    With `correct_bias` the update is multiplied by sqrt(1 - b2^t) / (1 - b1^t).

    Args:
        params: Parameters or groups of them; a group may have its own `lr` and `weight_decay`.
        lr: Learning rate.
        betas: Decay of the mean and of the mean square of the gradients.
        eps: Added to the root of the mean square.
        weight_decay: Share of a weight lost per step, times the learning rate.
        correct_bias: Whether the first steps are corrected for the zeros that m and v start from.

    Raises:
        ConfigError: When a value is out of its range.
    """

    @strict_arguments
    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        correct_bias: bool = False,
    ) -> None:
        if lr < 0 or eps < 0 or weight_decay < 0:
            raise ConfigError(
                f"lr={lr}, eps={eps} and weight_decay={weight_decay} must not be negative",
                code="invalid-value",
                lr=lr,
                eps=eps,
                weight_decay=weight_decay,
            )
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):  # noqa: PLR2004
            raise ConfigError(
                f"betas must be two numbers from 0 to below 1, not {betas}",
                code="invalid-value",
                option="betas",
                value=list(betas),
            )
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps}
        super().__init__(params, defaults | {"weight_decay": weight_decay, "correct_bias": correct_bias})

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of every parameter that has a gradient; returns what `closure` returned, if one is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for params in self._alike(group["params"]):
                self._update(params, group)
        return loss

    def _alike(self, params: list[Tensor]) -> list[list[Tensor]]:
        """The parameters with a gradient, by device, number format and steps done: one kernel call for each."""
        kinds: dict[tuple[object, ...], list[Tensor]] = {}
        for param in params:
            if param.grad is None:
                continue
            if param.grad.is_sparse:
                raise ConfigError(
                    'TransformersAdamW takes no sparse gradients; use {"name": "SGD"} for this model',
                    code="sparse-gradients",
                )
            state = self.state[param]
            if not state:
                state.update(step=0, exp_avg=torch.zeros_like(param), exp_avg_sq=torch.zeros_like(param))
            kinds.setdefault((param.device, param.dtype, param.grad.dtype, state["step"]), []).append(param)
        return list(kinds.values())

    def _update(self, params: list[Tensor], group: PlainDict) -> None:
        """Torch's fused AdamW kernel does it: it decays before the update, so its numbers are set to come out alike.

        (p - u) (1 - d) = p (1 - d) - u (1 - d): the rate shrinks by 1 - d and the decay grows by as much.
        """
        states = [self.state[param] for param in params]
        for state in states:
            state["step"] += 1
        beta1, beta2 = group["betas"]
        lr, eps, step = float(group["lr"]), group["eps"], _LONG_AGO
        if group["correct_bias"]:
            step = states[0]["step"]
            eps /= math.sqrt(1 - beta2**step)
        kept = 1 - lr * group["weight_decay"]
        if kept <= 0:
            raise ConfigError(
                f"lr={lr} times weight_decay={group['weight_decay']} must be below 1; lower one of them",
                code="invalid-value",
                option="weight_decay",
                value=group["weight_decay"],
            )
        steps = torch.full((), step, dtype=torch.float32, device=params[0].device)
        torch._fused_adamw_(
            params,
            [param.grad for param in params if param.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [steps] * len(params),
            lr=lr * kept,
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"] / kept,
            eps=eps,
            amsgrad=False,
            maximize=False,
        )


def create_optimizer(
    model: nn.Module, learning_rate: float, optimizer_opts: PlainMapping | None = None
) -> torch.optim.Optimizer:
    """The optimizer named in `optimizer_opts`, over the parameters of `model` that train.

    Args:
        model: The model; parameters without `requires_grad` are left out.
        learning_rate: Learning rate.
        optimizer_opts: `name` and the arguments of that optimizer's constructor; `no_decay` (strings; parameters
            whose name contains one get no weight decay); `layer_decay` (0.9: each layer of the language model learns
            0.9 times as fast as the one above it); `head_lr` (the learning rate of the heads); see
            `parameter_groups`. None means `DEFAULT_OPTIMIZER`; so does a missing `name`. Never changed.

    Raises:
        ConfigError: On an unknown name or argument (the nearest is named), or a value the optimizer refuses.
    """
    kind, arguments, grouping = check_optimizer(optimizer_opts)
    if arguments.get("lr", learning_rate) != learning_rate:
        warnings.warn(f"lr in optimizer_opts is ignored: learning_rate={learning_rate} counts", stacklevel=2)
    groups = parameter_groups(
        model,
        grouping.get("no_decay") or (),
        layer_decay=grouping.get("layer_decay"),
        head_learning_rate=grouping.get("head_lr"),
        learning_rate=learning_rate,
    )
    if kind.__name__ in _FUSED and not arguments.keys() & {"fused", "foreach", "differentiable"}:
        trained = [param for group in groups for param in group["params"]]
        arguments["fused"] = all(param.is_floating_point() for param in trained)
    try:
        return kind(groups, **arguments | {"lr": learning_rate})
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"optimizer_opts for {kind.__name__}: {error}",
            code="invalid-value",
            option="optimizer_opts",
            value=kind.__name__,
        ) from None


def check_optimizer(
    optimizer_opts: PlainMapping | None,
) -> tuple[type[torch.optim.Optimizer], PlainDict, PlainDict]:
    """Class and constructor arguments of the options, and what groups the parameters; touches no model.

    Raises:
        TypeError: When the options are neither None nor a dict.
        ConfigError: On an unknown name or argument; the nearest one is named.
    """
    if optimizer_opts is not None and not isinstance(optimizer_opts, Mapping):
        raise TypeError(f"optimizer_opts must be a dict or None, not {type(optimizer_opts).__name__}")
    options = dict(optimizer_opts or {})
    if "name" not in options:
        options = dict(DEFAULT_OPTIMIZER) | options
    grouping = {key: options.pop(key, None) for key in _GROUPING}
    name = str(options.pop("name"))
    kind = _optimizer_class(name)
    known = [argument for argument in inspect.signature(kind).parameters if argument != "params"]
    for argument in options:
        if argument not in known:
            raise ConfigError(
                f'optimizer {name} has no option "{argument}"{nearest(argument, [*known, *_GROUPING])}',
                code="unknown-option",
                option=argument,
                value=name,
            )
    _check_grouping(grouping)
    if grouping["no_decay"] and "weight_decay" not in known:
        raise ConfigError(
            f"optimizer {name} has no weight decay; leave no_decay out",
            code="option-without-effect",
            option="no_decay",
            value=name,
        )
    return kind, options, grouping


def _check_grouping(grouping: PlainMapping) -> None:
    no_decay, layer_decay, head_lr = (grouping[key] for key in _GROUPING)
    if no_decay is not None and (isinstance(no_decay, str) or not all(isinstance(part, str) for part in no_decay)):
        raise ConfigError(
            f'no_decay must be a list of strings such as ["bias", "LayerNorm.weight"], not {no_decay!r}',
            code="invalid-value",
            option="no_decay",
            value=no_decay,
        )
    if layer_decay is not None and not (_is_number(layer_decay) and 0 < layer_decay <= 1):
        raise ConfigError(
            f"layer_decay must be a factor above 0 up to 1, for example 0.9, not {layer_decay!r}",
            code="invalid-value",
            option="layer_decay",
            value=layer_decay,
        )
    if head_lr is not None and not (_is_number(head_lr) and 0 <= head_lr < math.inf):
        raise ConfigError(
            f"head_lr must be a learning rate, for example 1e-3, not {head_lr!r}",
            code="invalid-value",
            option="head_lr",
            value=head_lr,
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _optimizer_class(name: str) -> type[torch.optim.Optimizer]:
    known: dict[str, type[torch.optim.Optimizer]] = {"TransformersAdamW": TransformersAdamW}
    for attribute, kind in vars(torch.optim).items():
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer:
            known.setdefault(attribute, kind)
    if name in _APEX:
        raise ConfigError(
            f'{name} belongs to apex, which farm_ray does not use; take {{"name": "{_APEX[name]}"}}',
            code="unsupported-optimizer",
            value=name,
        )
    if name in _UNFIT:
        raise ConfigError(
            f'optimizer {name} cannot be used: {_UNFIT[name]}; take {{"name": "AdamW"}}',
            code="unsupported-optimizer",
            value=name,
        )
    if name not in known:
        raise ConfigError(
            f'unknown optimizer "{name}"{nearest(name, set(known) - set(_UNFIT))}', code="unknown-optimizer", value=name
        )
    return known[name]

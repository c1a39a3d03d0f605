"""Learning-rate schedules by name, and how many steps a run takes. A schedule moves once per optimizer step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from torch.optim import lr_scheduler

from farm_ray.configuration import nearest, strict_arguments
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from farm_ray.plain import PlainDict, PlainMapping

WARMUP_PROPORTION = 0.1
"""Share of all steps with a growing learning rate, where nothing else is said."""

_ALIASES = {
    "LinearWarmup": "get_linear_schedule_with_warmup",
    "ConstantWarmup": "get_constant_schedule_with_warmup",
    "Constant": "get_constant_schedule",
    "CosineWarmup": "get_cosine_schedule_with_warmup",
    "CosineWarmupWithRestarts": "get_cosine_with_hard_restarts_schedule_with_warmup",
}
_NEED_A_METRIC = ("ReduceLROnPlateau", "get_reduce_on_plateau_schedule", "get_greedy_schedule")
_NOT_BY_OPTIONS = ("LRScheduler", "_LRScheduler", "ChainedScheduler", "SequentialLR", "get_adafactor_schedule")
_TOTAL_STEPS = {"OneCycleLR": "total_steps", "CosineAnnealingLR": "T_max"}
"""Torch's name for the number of training steps, filled in where it is not given."""
_RATES = ("max_lr", "base_lr")
"""Options that are learning rates of their own; torch takes one per group of parameters."""
_FOR_SOME = ("num_training_steps", "num_warmup_steps", "warmup_proportion")
"""Options that are left out, without a word, for schedules that do not take them."""


def optimizer_steps(n_batches: int, grad_acc_steps: int, n_epochs: int) -> int:
    """Optimizer steps of a run: the last, shorter group of batches of an epoch makes a step of its own.

    Args:
        n_batches: Batches per epoch.
        grad_acc_steps: Batches per optimizer step.
        n_epochs: Passes over the data.

    Raises:
        ConfigError: When `grad_acc_steps` is below 1 or a count is negative.
    """
    if grad_acc_steps < 1:
        raise ConfigError(
            f"grad_acc_steps must be 1 or more, not {grad_acc_steps}",
            code="invalid-value",
            option="grad_acc_steps",
            value=grad_acc_steps,
        )
    if n_batches < 0 or n_epochs < 0:
        raise ConfigError(
            f"n_batches={n_batches} and n_epochs={n_epochs} must not be negative",
            code="invalid-value",
            n_batches=n_batches,
            n_epochs=n_epochs,
        )
    return -(-n_batches // grad_acc_steps) * n_epochs


def calculate_optimization_steps(n_batches: int, grad_acc_steps: int, n_epochs: int, local_rank: int = -1) -> int:
    """Optimizer steps of a run, as `optimizer_steps`. FARM rounded down, which ended the schedule before the run.

    `local_rank` changes nothing: `n_batches` counts the batches of all workers together.
    """
    del local_rank
    return optimizer_steps(n_batches, grad_acc_steps, n_epochs)


@strict_arguments
def get_scheduler(optimizer: torch.optim.Optimizer, opts: PlainMapping) -> lr_scheduler.LRScheduler:
    """The schedule named in `opts`; the returned object's `opts` says what it was made with.

    Args:
        optimizer: The optimizer whose learning rate moves.
        opts: `name` (LinearWarmup, ConstantWarmup, Constant, CosineWarmup, CosineWarmupWithRestarts, a class of
            torch.optim.lr_scheduler or a `get_..._schedule...` function of transformers; LinearWarmup if missing) and
            its arguments. `warmup_proportion` gives `num_warmup_steps` as a share of `num_training_steps`; with
            neither, the warm-up is 10 %. `max_lr` and `base_lr` as single numbers are for the optimizer's own rate;
            groups with another rate keep their ratio to it. Never changed.

    Raises:
        TypeError: When `opts` is no dict.
        ConfigError: On an unknown name or option (the nearest is named), or a missing or wrong value.
    """
    function, arguments = check_schedule(opts)
    opts = opts or {}
    parameters = inspect.signature(function).parameters
    name = opts.get("name", "LinearWarmup")
    total = opts.get("num_training_steps")
    if "num_warmup_steps" in parameters and "num_warmup_steps" not in arguments and total is not None:
        proportion = opts.get("warmup_proportion")
        arguments["num_warmup_steps"] = WARMUP_PROPORTION * total if proportion is None else int(proportion * total)
    if name in _TOTAL_STEPS and total is not None and not arguments.keys() & {_TOTAL_STEPS[name], "epochs"}:
        arguments[_TOTAL_STEPS[name]] = max(1, total)
    arguments |= {key: _per_group(optimizer, arguments[key]) for key in _RATES if key in arguments}
    required = [key for key, parameter in parameters.items() if parameter.default is parameter.empty]
    missing = [key for key in required if key not in {"optimizer", *arguments}]
    if missing:
        raise ConfigError(
            f"schedule {name} needs {', '.join(missing)}; add it to schedule_opts",
            code="missing-option",
            option=missing[0],
            value=name,
        )
    try:
        scheduler = function(optimizer, **arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"schedule_opts for {name}: {error}", code="invalid-value", option="schedule_opts", value=name
        ) from None
    scheduler.opts = {"name": name, **arguments}
    return scheduler


def check_schedule(opts: PlainMapping | None) -> tuple[Callable[..., Any], PlainDict]:
    """Function and arguments of the options, what the schedule does not take left out; touches nothing.

    Raises:
        TypeError: When the options are neither None nor a dict.
        ConfigError: On an unknown name or option; the nearest one is named.
    """
    if opts is not None and not isinstance(opts, Mapping):
        raise TypeError(f"schedule_opts must be a dict or None, not {type(opts).__name__}")
    options = dict(opts or {})
    name = str(options.pop("name", "LinearWarmup"))
    function = _schedule_function(name)
    known = [key for key in inspect.signature(function).parameters if key != "optimizer"]
    for key in options:
        if key not in known and key not in _FOR_SOME:
            raise ConfigError(
                f'schedule {name} has no option "{key}"{nearest(key, [*known, *_FOR_SOME])}',
                code="unknown-option",
                option=key,
                value=name,
            )
    proportion = options.get("warmup_proportion")
    if proportion is not None and not (isinstance(proportion, int | float) and 0 <= proportion <= 1):
        raise ConfigError(
            f"warmup_proportion must be a share from 0 to 1, not {proportion!r}",
            code="invalid-value",
            option="warmup_proportion",
            value=proportion,
        )
    return function, {key: value for key, value in options.items() if key in known}


def _per_group(optimizer: torch.optim.Optimizer, rate: Any) -> Any:
    rates, full = [float(group["lr"]) for group in optimizer.param_groups], float(optimizer.defaults["lr"])
    if not full or all(own == full for own in rates) or not isinstance(rate, int | float):
        return rate
    return [rate * own / full for own in rates]


def _schedule_function(name: str) -> Callable[..., Any]:
    if name in _NEED_A_METRIC:
        way_out = "use EarlyStopping for that, or a schedule such as LinearWarmup"
        raise ConfigError(
            f"schedule {name} needs a metric at every step, and none is there; {way_out}",
            code="unsupported-schedule",
            value=name,
        )
    from transformers import optimization

    known: dict[str, Callable[..., Any]] = {
        key: value for key, value in vars(optimization).items() if key.startswith("get_") and "_schedule" in key
    }
    known |= {
        key: value
        for key, value in vars(lr_scheduler).items()
        if isinstance(value, type) and issubclass(value, lr_scheduler.LRScheduler)
    }
    known |= {alias: known[function] for alias, function in _ALIASES.items()}
    for key in (*_NEED_A_METRIC, *_NOT_BY_OPTIONS, "get_scheduler"):
        known.pop(key, None)
    if name not in known:
        raise ConfigError(f'unknown schedule "{name}"{nearest(name, known)}', code="unknown-schedule", value=name)
    return known[name]

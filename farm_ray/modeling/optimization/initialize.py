"""The front for people with their own training loop: model, optimizer and schedule in one call, as FARM has it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from farm_ray.configuration import strict_arguments
from farm_ray.devices import checked_device
from farm_ray.modeling.optimization.optimizers import check_optimizer, create_optimizer
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.modeling.optimization.schedules import check_schedule, get_scheduler, optimizer_steps
from farm_ray.modeling.optimization.wrappers import WrappedDataParallel, WrappedDDP

if TYPE_CHECKING:
    from torch import nn
    from torch.optim.lr_scheduler import LRScheduler

    from farm_ray.plain import PlainMapping


@strict_arguments
def initialize_optimizer(
    model: nn.Module,
    n_batches: int,
    n_epochs: int,
    device: str | torch.device,
    learning_rate: float,
    optimizer_opts: PlainMapping | None = None,
    schedule_opts: PlainMapping | None = None,
    distributed: bool = False,
    grad_acc_steps: int = 1,
    local_rank: int = -1,
    use_amp: str | None = None,
) -> tuple[nn.Module, torch.optim.Optimizer, LRScheduler]:
    """The model on its device, an optimizer over its trained parameters, and a schedule for the whole run.

    Args:
        model: The model to train; moved to `device`, and wrapped as `optimize_model` says.
        n_batches: Batches per epoch, of all workers together.
        n_epochs: Passes over the data.
        device: Where to train.
        learning_rate: The highest learning rate of the schedule; other rates keep their ratio to it all along.
        optimizer_opts: `name`, constructor arguments, and `no_decay`, `layer_decay` and `head_lr`, which give
            parameters their own decay and learning rate, see `create_optimizer`. Default:
            {"name": "TransformersAdamW", "correct_bias": False, "weight_decay": 0.01}, with decay on every parameter.
        schedule_opts: `name` and arguments, see `get_scheduler`. Default: LinearWarmup over the first 10 % of the
            steps, then down to 0 at the last. `num_training_steps` is filled in: all optimizer steps of the run.
        distributed: Whether to synchronise gradients through the process group that the caller has started.
        grad_acc_steps: Batches per optimizer step; an epoch's last group may be smaller and still makes a step.
        local_rank: This process's GPU on its machine; -1 when alone.
        use_amp: Checked here; the training loop applies it: `Precision.resolve(use_amp, device).autocast()`.

    Returns:
        Model, optimizer, scheduler. The given dicts are left as they are.

    Raises:
        TypeError: When `optimizer_opts` or `schedule_opts` is neither None nor a dict; the model is untouched.
        ConfigError: On an unknown name or option (the model is untouched), or a value out of range.
    """
    check_schedule(schedule_opts)
    check_optimizer(optimizer_opts)
    steps = optimizer_steps(n_batches, grad_acc_steps, n_epochs)
    device = _own_device(device, local_rank)
    Precision.resolve(use_amp, device)
    model.to(device)
    optimizer = create_optimizer(model, learning_rate, optimizer_opts)
    scheduler = get_scheduler(optimizer, {"num_training_steps": steps, **(schedule_opts or {})})
    model, _ = optimize_model(model, device, local_rank, optimizer, distributed)
    return model, optimizer, scheduler


@strict_arguments
def optimize_model(
    model: nn.Module,
    device: str | torch.device,
    local_rank: int = -1,
    optimizer: torch.optim.Optimizer | None = None,
    distributed: bool = False,
    use_amp: str | None = None,
) -> tuple[nn.Module, torch.optim.Optimizer | None]:
    """The model on its device, wrapped where several devices share the work, and the optimizer as it came.

    With `distributed` and a process group: `WrappedDDP`; parameters that take no part in a step are allowed. On
    "cuda" without an index, alone, with more than one GPU: `WrappedDataParallel`. Otherwise unwrapped.

    Raises:
        ConfigError: When `use_amp` is unknown or the device cannot do it.
    """
    device = _own_device(device, local_rank)
    Precision.resolve(use_amp, device)
    model = model.to(device)
    if distributed and torch.distributed.is_available() and torch.distributed.is_initialized():
        device_ids = [device.index] if device.type == "cuda" and device.index is not None else None
        return WrappedDDP(model, device_ids=device_ids, find_unused_parameters=True), optimizer
    if distributed:
        warnings.warn(
            "distributed=True without a process group: training runs in this process alone; "
            "Trainer(num_workers=...) starts the group by itself",
            stacklevel=2,
        )
    elif device.type == "cuda" and device.index is None and local_rank == -1 and torch.cuda.device_count() > 1:
        return WrappedDataParallel(model), optimizer
    return model, optimizer


def _own_device(device: str | torch.device, local_rank: int) -> torch.device:
    device = checked_device(device)
    if device.type == "cuda" and device.index is None and local_rank >= 0:
        return torch.device("cuda", local_rank)
    return device

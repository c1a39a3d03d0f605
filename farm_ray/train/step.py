"""One optimizer step."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from farm_ray.errors import ConfigError
from farm_ray.ranks import Ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.optimization.precision import Precision

Batch = dict[str, torch.Tensor]


@dataclass(kw_only=True)
class Trainee:
    """What a step changes: the model and everything that moves with it."""

    model: AdaptiveModel
    """The model itself; it computes losses."""
    wrapped: torch.nn.Module
    """The model as called in a step: wrapped by DDP where there are several ranks."""
    optimizer: torch.optim.Optimizer
    scheduler: Any
    """Steps once per optimizer step; None keeps the learning rate."""
    precision: Precision
    ranks: Ranks = field(default_factory=Ranks)
    max_grad_norm: float | None = 1.0
    """Largest total norm of the gradients; None does not clip."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MicroBatch:
    """One rank's share of a micro-batch."""

    tensors: Batch
    weight: float = 1.0
    """0 for a rank without rows: it takes part with one row that counts nothing."""


def train_step(
    trainee: Trainee, micro_batches: Sequence[MicroBatch], *, rows_in_step: int, global_step: int
) -> torch.Tensor:
    """One optimizer step over all micro-batches of this rank.

    The loss of a step is the mean over its `rows_in_step` rows, whatever the number of ranks and micro-batches: each
    rank sums its rows' losses, and the factor undoes the mean that DDP takes over ranks.

    Returns:
        This rank's part of the mean loss, float32 []; the parts of all ranks add up to it.
    """
    share = torch.zeros((), device=trainee.ranks.device)
    factor = trainee.ranks.world_size / rows_in_step
    for number, micro_batch in enumerate(micro_batches, start=1):
        with _gradients_meet(trainee.wrapped, last=number == len(micro_batches)):
            with trainee.precision.autocast():
                logits = trainee.wrapped(**micro_batch.tensors)
            losses = trainee.model.logits_to_loss(logits, global_step=global_step, **micro_batch.tensors)
            _check_losses(losses, rows=len(micro_batch.tensors["input_ids"]))
            loss = losses.float().sum() * (factor * micro_batch.weight)
            trainee.precision.scaler.scale(loss).backward()
        share += loss.detach() / trainee.ranks.world_size
    _update(trainee)
    return share


def _check_losses(losses: torch.Tensor, *, rows: int) -> None:
    if losses.shape != (rows,):
        raise ConfigError(
            f"the loss of {rows} rows has the shape {list(losses.shape)}, not [{rows}]; heads need "
            'loss_reduction="none", and a loss_aggregation_fn gives one loss per row'
        )


def _update(trainee: Trainee) -> None:
    scaler, optimizer = trainee.precision.scaler, trainee.optimizer
    scaler.unscale_(optimizer)
    if trainee.max_grad_norm is not None:
        torch.nn.utils.clip_grad_norm_(trainee.model.parameters(), trainee.max_grad_norm)
    scale = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    # A smaller scale says that fp16 gradients overflowed and the update was left out.
    if trainee.scheduler is not None and scaler.get_scale() >= scale:
        trainee.scheduler.step()
    optimizer.zero_grad(set_to_none=True)


def _gradients_meet(wrapped: torch.nn.Module, *, last: bool) -> contextlib.AbstractContextManager[Any]:
    """DDP sums gradients over ranks in the last micro-batch only."""
    no_sync: Callable[[], contextlib.AbstractContextManager[Any]] | None = getattr(wrapped, "no_sync", None)
    return contextlib.nullcontext() if last or no_sync is None else no_sync()

"""One optimizer step."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from farm_ray.errors import ConfigError
from farm_ray.ranks import Ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from farm_ray.data_handler.feed.base import MicroBatch
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.optimization.precision import Precision
    from farm_ray.modeling.prediction_head import PredictionHead

Batch = dict[str, torch.Tensor]

MOST_LOST_IN_FP16 = 25
"""Each lost step halves the scale of fp16. By then even one of 2**24 is below 1, and the scale is not the reason."""


@dataclass(kw_only=True)
class TrainState:
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


@dataclass(kw_only=True)
class LostSteps:
    """Counts the steps in a row that brought nothing: their loss was no number, or their update was left out."""

    most: int
    """That many are tolerated."""
    in_a_row: int = 0

    @classmethod
    def for_precision(cls, precision: Precision) -> LostSteps:
        """fp16 loses steps until its scale fits; elsewhere a loss that is no number has ruined the weights already."""
        return cls(most=MOST_LOST_IN_FP16 if precision.scaler.is_enabled() else 0)

    def too_many(self, loss: float, *, updated: bool) -> bool:
        """Takes in one step; true when the run must end."""
        self.in_a_row = 0 if updated and math.isfinite(loss) else self.in_a_row + 1
        return self.in_a_row > self.most


def train_step(
    trainee: TrainState, micro_batches: Sequence[MicroBatch], *, rows_in_step: int, global_step: int
) -> tuple[torch.Tensor, bool]:
    """One optimizer step over all micro-batches of this rank.

    The loss of a step is the mean over its `rows_in_step` rows, or over what a head counts in them (predicted tokens),
    whatever the number of ranks and micro-batches: each rank sums its rows' losses, and the factor undoes the mean that
    DDP takes over ranks.

    Returns:
        This rank's part of the mean loss, float32 []: the parts of all ranks add up to it. And whether the weights
        were updated, which every rank answers alike.
    """
    share = torch.zeros((), device=trainee.ranks.device)
    factor = trainee.ranks.world_size / rows_in_step
    counted = _units_per_row(trainee, micro_batches, rows_in_step)
    for number, micro_batch in enumerate(micro_batches, start=1):
        batch = micro_batch.tensors | counted
        with sync_on_last_microbatch(trainee.wrapped, last=number == len(micro_batches)), _dropout_of(micro_batch):
            with trainee.precision.autocast():
                logits = trainee.wrapped(**batch)
            losses = trainee.model.logits_to_loss(logits, global_step=global_step, **batch)
            _check_losses(losses, rows=len(batch["input_ids"]))
            loss = losses.float().sum() * (factor * micro_batch.weight)
            trainee.precision.scaler.scale(loss).backward()
        share += loss.detach() / trainee.ranks.world_size
    return share, _update(trainee)


def _units(head: PredictionHead, batch: MicroBatch) -> torch.Tensor:
    units = head.loss_units(**batch.tensors)
    assert units is not None, "the head says that it has some"
    return units.sum().double() * batch.weight


def _units_per_row(trainee: TrainState, micro_batches: Sequence[MicroBatch], rows_in_step: int) -> Batch:
    """For heads whose loss is a mean over units: the units per row in the whole step, over all ranks, 0-dimensional."""
    heads = [head for head in trainee.model.prediction_heads if head.has_loss_units]
    if not heads:
        return {}
    own = [sum(_units(head, batch) for batch in micro_batches) for head in heads]
    totals = trainee.ranks.sum(*own)
    return {
        head.loss_units_column: torch.tensor(max(total, 1.0) / rows_in_step, device=trainee.ranks.device)
        for head, total in zip(heads, totals, strict=True)
    }


def _check_losses(losses: torch.Tensor, *, rows: int) -> None:
    if losses.shape != (rows,):
        raise ConfigError(
            f"the loss of {rows} rows has the shape {list(losses.shape)}, not [{rows}]; heads need "
            'loss_reduction="none", and a loss_aggregation_fn gives one loss per row',
            code="wrong-loss-shape",
            value=list(losses.shape),
            rows=rows,
        )


def _update(trainee: TrainState) -> bool:
    scaler, optimizer = trainee.precision.scaler, trainee.optimizer
    scaler.unscale_(optimizer)
    if trainee.max_grad_norm is not None:
        torch.nn.utils.clip_grad_norm_(trainee.model.parameters(), trainee.max_grad_norm)
    scale = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    # A smaller scale says that fp16 gradients overflowed and the update was left out.
    updated = scaler.get_scale() >= scale
    if trainee.scheduler is not None and updated:
        trainee.scheduler.step()
    optimizer.zero_grad(set_to_none=True)
    return updated


def _dropout_of(micro_batch: MicroBatch) -> contextlib.AbstractContextManager[object]:
    """A row that counts nothing draws nothing: which row that is may differ between a run and the same run resumed."""
    if micro_batch.weight:
        return contextlib.nullcontext()
    on_gpu = micro_batch.tensors["input_ids"].is_cuda
    return torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_gpu else [])


def sync_on_last_microbatch(wrapped: torch.nn.Module, *, last: bool) -> contextlib.AbstractContextManager[object]:
    """DDP sums gradients over ranks in the last micro-batch only."""
    no_sync: Callable[[], contextlib.AbstractContextManager[object]] | None = getattr(wrapped, "no_sync", None)
    return contextlib.nullcontext() if last or no_sync is None else no_sync()

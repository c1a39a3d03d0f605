"""The order of an in-memory training set, with batches of similar length.

Per epoch: rows are permuted; the permutation is cut into pools of some batches; each pool is sorted by length and
cut into batches; the batches are shuffled. Padding is small, batches are random, and everything follows from
(lengths, row ids, seed, epoch), so every rank computes the same plan without a word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray.data_handler.order.position import Position
from farm_ray.reproducibility import UInt64, random_bits

if TYPE_CHECKING:
    from farm_ray.data_handler.feature_columns import Positions

POOL_BATCHES = 64
"""Batches per pool: enough for similar lengths, few enough to stay random."""

_ROW_STREAM, _BATCH_STREAM = 0, 1


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRows:
    """The rows of one optimizer step: one array of positions per micro-batch, over all ranks."""

    position: Position
    micro_batches: tuple[Positions, ...]

    @property
    def rows(self) -> Positions:
        """All rows of the step, [rows]."""
        return np.concatenate(self.micro_batches)


@dataclass(frozen=True, kw_only=True)
class InMemoryOrder:
    """The plan of a run over one set of rows."""

    lengths: npt.NDArray[np.integer]
    """Tokens per row, [n]."""
    row_hashes: UInt64
    """From the row ids, [n]."""
    seed: int
    batch_size: int
    """Rows per micro-batch over all ranks."""
    grad_acc_steps: int = 1
    """Micro-batches per optimizer step; the last step of an epoch takes those that are left."""

    @property
    def batches_per_epoch(self) -> int:
        """Micro-batches of one pass; the last one may be short, none is dropped."""
        return math.ceil(len(self.lengths) / self.batch_size)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one pass."""
        return math.ceil(self.batches_per_epoch / self.grad_acc_steps)

    def batches(self, epoch: int) -> list[Positions]:
        """The epoch's micro-batches in order; together they hold every row once."""
        order = np.argsort(random_bits(self.seed, epoch, self.row_hashes, stream=_ROW_STREAM), kind="stable")
        pool_rows = POOL_BATCHES * self.batch_size
        batches = []
        for start in range(0, len(order), pool_rows):
            pool = order[start : start + pool_rows]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            batches += [pool[at : at + self.batch_size] for at in range(0, len(pool), self.batch_size)]
        numbers = np.arange(len(batches), dtype=np.uint64)
        shuffled = np.argsort(random_bits(self.seed, epoch, numbers, stream=_BATCH_STREAM), kind="stable")
        return [batches[number] for number in shuffled]

    def steps(self, epoch: int, *, first: int = 0) -> list[StepRows]:
        """The epoch's optimizer steps from step `first` on."""
        batches = self.batches(epoch)
        window = self.grad_acc_steps
        return [
            StepRows(
                position=Position(epoch=epoch, step=step),
                micro_batches=tuple(batches[step * window : (step + 1) * window]),
            )
            for step in range(first, self.steps_per_epoch)
        ]

    def next_position(self, position: Position) -> Position:
        """Where the run stands after the step at `position`."""
        if position.step + 1 < self.steps_per_epoch:
            return Position(epoch=position.epoch, step=position.step + 1)
        return Position(epoch=position.epoch + 1, step=0)


def share(rows: Positions, rank: int, world_size: int) -> Positions:
    """The contiguous part of a micro-batch that one rank computes; parts differ by one row at most."""
    start = len(rows) * rank // world_size
    return rows[start : len(rows) * (rank + 1) // world_size]


def evaluation_batches(
    lengths: npt.NDArray[np.integer], batch_size: int, *, rank: int = 0, world_size: int = 1
) -> list[Positions]:
    """One rank's batches of a pass without training: longest first, every row in exactly one batch of one rank."""
    order = np.argsort(-lengths.astype(np.int64), kind="stable")
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return batches[rank::world_size]

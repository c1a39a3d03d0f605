"""What the training loop asks for, and what it gets: the rows of one rank, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    import torch

    from farm_ray.data_handler.order import Position


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPlan:
    """How a run goes through its rows; the same on every rank."""

    epochs: int
    batch_size: int
    """Rows per micro-batch over all ranks."""
    grad_acc_steps: int = 1
    """Micro-batches per step."""
    seed: int = 42
    """Of the order of rows in memory; a stream has its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MicroBatch:
    """One rank's share of a micro-batch."""

    tensors: dict[str, torch.Tensor]
    weight: float = 1.0
    """0 for a rank without rows: it takes part with one row that counts nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One optimizer step as one rank sees it."""

    position: Position
    following: Position
    """Where the run stands when the step is done; of a stream without its lanes, see `Feed.whole_position`."""
    micro_batches: tuple[MicroBatch, ...]
    """This rank's shares."""
    rows: int
    """Rows of the step over all ranks."""
    row_sum: int
    """Of these rows, over all ranks, see `order_hash.row_sum`."""
    ids: Callable[[], list[str]]
    """The ids of some of this rank's rows, for messages."""


class Feed(Protocol):
    """The training rows of one rank, step by step."""

    @property
    def batches_per_epoch(self) -> int:
        """Micro-batches of a pass; of a stream an estimate."""

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of a pass; of a stream an estimate."""

    @property
    def lanes(self) -> int:
        """Places that a position within an epoch holds besides its step: one per lane of a stream."""

    def check(self) -> None:
        """Raises ClusterError where the ranks do not hold the same rows."""

    def read_ahead(self, position: Position) -> None:
        """Begins to read what `steps` will want there first, while the run has other things to do."""

    def steps(self, position: Position) -> Iterator[Step]:
        """The steps of the epoch from this position on; every rank takes all of them."""

    def whole_position(self, position: Position) -> Position:
        """A step's `following` position, completed by what the other ranks know. Every rank must call it."""

    def problems(self) -> pa.Table | None:
        """The rows that were quarantined while training, over all ranks; None for none. Every rank must call it."""

    def go_on_from(self, problems: pa.Table) -> None:
        """Takes in the `problems` of a run that was stopped."""

    def close(self) -> None:
        """Ends what goes on in the background."""


def on_device(tensors: dict[str, torch.Tensor], device: torch.device) -> dict[str, torch.Tensor]:
    """A batch where the model is."""
    if device.type == "cuda":
        tensors = {name: tensor.pin_memory() for name, tensor in tensors.items()}
    return {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}

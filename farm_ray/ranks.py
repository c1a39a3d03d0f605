"""What the ranks of a run say to each other: sums, gathered columns, one rank's decision for all."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranks:
    """This process among the ranks; a run in one process has world size 1 and talks to nobody."""

    rank: int = 0
    world_size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Rank 0 writes, logs and decides."""
        return self.rank == 0

    def sum(self, *values: float | torch.Tensor) -> list[float]:
        """The sums over all ranks of a few numbers, the same on every rank."""
        numbers = torch.stack([torch.as_tensor(v, dtype=torch.float64, device=self.device).detach() for v in values])
        if self.world_size > 1:
            dist.all_reduce(numbers)
        return numbers.tolist()

    def gather(self, value: T) -> list[T]:
        """Every rank's value, in rank order, on every rank; for a few values or columns at the end of a pass."""
        if self.world_size == 1:
            return [value]
        gathered: list[Any] = [None] * self.world_size
        dist.all_gather_object(gathered, value)
        return gathered

    def from_first(self, value: T) -> T:
        """Rank 0's value on every rank."""
        if self.world_size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def done_by_first(self, work: Callable[[], T]) -> T:
        """What `work` gives on rank 0, on every rank; what it raises there is raised on all, so that none waits."""
        if self.world_size == 1:
            return work()
        result: Any = None
        error: Exception | None = None
        if self.is_first:
            try:
                result = work()
            except Exception as raised:  # noqa: BLE001 - it is raised again below
                error = raised
        result, told = self.from_first((result, None if error is None else sendable(error)))
        if told is not None:
            raise error or told
        return result


def sendable(error: Exception) -> Exception:
    """The error itself where it can travel, else its words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - a user's error may hold anything
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error

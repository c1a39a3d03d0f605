"""FARM's exchange between the processes of a run of one's own, with torch.distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.distributed as dist

if TYPE_CHECKING:
    import torch


def all_reduce(tensor: torch.Tensor, group: dist.ProcessGroup | None = None) -> torch.Tensor:
    """The sum of a tensor over all processes of the group, in place; as it is where there is one process."""
    if dist.is_initialized():
        dist.all_reduce(tensor, group=group)
    return tensor


def all_gather_list(data: object, group: dist.ProcessGroup | None = None, max_size: int = 16384) -> list[Any]:  # noqa: ARG001 - any size goes
    """The value of each process of the group, in the order of their ranks.

    Args:
        data: Anything that pickles.
        group: None takes all processes.
        max_size: Ignored, kept for FARM compatibility; values of any size travel.
    """
    if not dist.is_initialized():
        return [data]
    gathered: list[Any] = [None] * dist.get_world_size(group)
    dist.all_gather_object(gathered, data, group=group)
    return gathered

"""A place in a run: what a checkpoint holds to go on from, the same for any number of ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farm_ray.plain import PlainMapping


@dataclass(frozen=True, kw_only=True, slots=True)
class LanePosition:
    """Where a lane of a stream stands in an epoch."""

    place: int = 0
    """Number of its current range in the lane's sequence."""
    window: int = 0
    """Windows of that range that are done."""
    began: int = 0
    """Micro-batch of the epoch that took the first rows of the current window."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """The next step to be done."""

    epoch: int = 0
    step: int = 0
    """Optimizer steps done in this epoch."""
    lanes: tuple[LanePosition, ...] = ()
    """Where each lane of a stream stands, by number; none for rows in memory, and at the start of an epoch."""

    @classmethod
    def from_json(cls, values: PlainMapping) -> Position:
        """The position that `dataclasses.asdict` wrote."""
        return cls(**{**values, "lanes": tuple(LanePosition(**lane) for lane in values.get("lanes", ()))})

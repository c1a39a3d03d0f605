"""The order of a streamed training set: ranges of files are dealt to lanes, and every step takes rows from each lane.

The corpus is cut into ranges (a byte range of a file, or a whole file), and what is read of a range comes in windows:
the rows that are shuffled, paired and sorted by length together. Each epoch permutes the ranges and deals them to the
lanes like cards. A lane is a sequence of windows of its own; a micro-batch takes a few rows from the current window of
every lane. Everything follows from (ranges, rows of a window, seed, epoch), so the rows of a step are the same for any
number of ranks, each of which reads only its own lanes, and a run goes on from a position without reading what is done.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError
from farm_ray.reproducibility import UInt64, random_bits, random_floats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from farm_ray.data_handler.feature_columns import Positions
    from farm_ray.data_handler.order.position import LanePosition

_RANGE_STREAM, _ROW_STREAM, _LENGTH_STREAM = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Reading:
    """One range to be read for a lane."""

    epoch: int
    lane: int
    place: int
    """Its number in the lane's sequence of the epoch."""
    range: int
    """Its number in the corpus."""
    first_window: int
    """Windows before this one are done."""


@dataclass(frozen=True, kw_only=True)
class StreamOrder:
    """The plan of a run over ranges whose rows are not known yet."""

    range_hashes: UInt64
    """From the names of the ranges, [ranges]."""
    seed: int
    batch_size: int
    """Rows per micro-batch over all ranks."""
    lanes: int
    grad_acc_steps: int = 1
    """Micro-batches per optimizer step."""

    def __post_init__(self) -> None:
        if not 1 <= self.lanes <= self.batch_size:
            raise ConfigError(
                f"lanes={self.lanes} does not fit batch_size={self.batch_size}: a micro-batch takes a row or more from "
                "each lane; give fewer lanes or a larger batch_size",
                code="more-lanes-than-rows",
                option="lanes",
                value=self.lanes,
            )

    def lane_ranges(self, epoch: int, lane: int) -> Positions:
        """The ranges of a lane in their order, as numbers in the corpus."""
        return self.dealt(epoch)[lane]

    def dealt(self, epoch: int) -> list[Positions]:
        """The ranges of all lanes. Sorts the whole corpus, so it is not for every window."""
        order = np.argsort(random_bits(self.seed, epoch, self.range_hashes, stream=_RANGE_STREAM), kind="stable")
        return [order[lane :: self.lanes] for lane in range(self.lanes)]

    def ranges_in(self, lane: int) -> int:
        """How many ranges a lane has, in every epoch."""
        return len(range(lane, len(self.range_hashes), self.lanes))

    def lanes_of(self, rank: int, world_size: int) -> list[int]:
        """The lanes that a rank reads.

        Raises:
            ConfigError: When there are more ranks than lanes.
        """
        if world_size > self.lanes:
            raise ConfigError(
                f"each of {world_size} workers needs a lane of the stream, and it has lanes={self.lanes}; give fewer "
                "workers, or more lanes: text files give as many as they hold window_bytes, other files one each",
                code="more-workers-than-lanes",
                value=world_size,
                lanes=self.lanes,
            )
        return list(range(rank, self.lanes, world_size))

    def rows_per_batch(self, lane: int) -> int:
        """Rows that a micro-batch takes from this lane; all lanes' together are `batch_size`."""
        return self.batch_size * (lane + 1) // self.lanes - self.batch_size * lane // self.lanes

    def readings(
        self, epoch: int, lanes: Iterable[int], starts: Mapping[int, LanePosition] | None = None
    ) -> Iterator[Reading]:
        """What is left of the epoch for these lanes, in the order in which it is needed: the lanes take turns."""
        starts = starts or {}
        dealt = self.dealt(epoch)
        left = {lane: dealt[lane] for lane in lanes}
        places = {lane: starts[lane].place if lane in starts else 0 for lane in left}
        while any(places[lane] < len(ranges) for lane, ranges in left.items()):
            for lane, ranges in left.items():
                place = places[lane]
                if place < len(ranges):
                    start = starts.get(lane)
                    done = start.window if start is not None and start.place == place else 0
                    yield Reading(epoch, lane, place, int(ranges[place]), done)
                    places[lane] += 1

    def batches(
        self, epoch: int, lane: int, *, lengths: npt.NDArray[np.integer], row_hashes: UInt64, began: int
    ) -> list[Positions]:
        """The rows of a window that each micro-batch takes, from micro-batch `began` of the epoch on.

        Rows are sorted by length and cut into batches. Which of them comes next is drawn, and all lanes draw alike: at
        any time all take short rows or all take long ones, and batches over all lanes have little padding.

        Args:
            epoch: The pass, from 0.
            lane: Whose window it is.
            lengths: Tokens per row, [n].
            row_hashes: From the rows' ids, [n].
            began: Number of the micro-batch that takes the first of these rows.
        """
        ties = random_bits(self.seed, epoch, row_hashes, stream=_ROW_STREAM)
        ordered = np.lexsort((ties, lengths))
        size = self.rows_per_batch(lane)
        count = math.ceil(len(ordered) / size)
        numbers = np.arange(began, began + count, dtype=np.uint64)
        wanted = random_floats(self.seed, epoch, numbers, stream=_LENGTH_STREAM)
        return [ordered[number * size : (number + 1) * size] for number in _nearest_left(wanted)]


def _nearest_left(wanted: npt.NDArray[np.float64]) -> list[int]:
    """For each wanted place in [0, 1) the nearest of the numbers 0 to n - 1 that is left, [n]."""
    left = list(range(len(wanted)))
    taken = []
    for target in (wanted * len(wanted) - 0.5).tolist():
        after = bisect.bisect_left(left, target)
        nearer = after == len(left) or (after > 0 and target - left[after - 1] <= left[after] - target)
        taken.append(left.pop(after - 1 if nearer else after))
    return taken

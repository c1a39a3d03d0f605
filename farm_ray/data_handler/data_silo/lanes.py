"""The lanes of a stream that one process reads: where each stands, and which rows a micro-batch takes of it."""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from farm_ray.data_handler.columns import joined
from farm_ray.data_handler.data_silo.stream_problems import StreamProblems
from farm_ray.data_handler.order import LanePosition, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo.prefetch import Prefetched
    from farm_ray.data_handler.data_silo.stream import StreamedSet, StreamedWindow
    from farm_ray.data_handler.feature_columns import Positions
    from farm_ray.data_handler.order import Reading, StreamOrder
    from farm_ray.reproducibility import UInt64


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a lane's window."""

    rows: FeatureSet
    positions: Positions

    def __len__(self) -> int:
        return len(self.positions)

    def row_hashes(self) -> UInt64:
        """Of the rows' ids."""
        return self.rows.row_hashes[self.positions]

    def ids(self) -> list[str]:
        """The rows' ids."""
        return self.rows.subset(self.positions).ids()


@dataclass(slots=True)
class _Lane:
    """The current window of a lane, and where the lane stands."""

    number: int
    position: LanePosition
    rows: FeatureSet | None = None
    """Of the current window; None before the first one came."""
    batches: Sequence[Positions] = ()
    """The rows of the current window, one array per micro-batch from `position.began` on."""
    waiting: deque[StreamedWindow] = field(default_factory=deque)

    def next_rows(self, micro_batch: int) -> Positions | None:
        """The rows that this micro-batch of the epoch takes; None where the window has none left."""
        done = micro_batch - self.position.began
        return self.batches[done] if done < len(self.batches) else None


class Lanes:
    """Some lanes of a stream, read ahead to the end of the last epoch.

    Args:
        stream: What is streamed.
        order: The plan.
        numbers: The lanes that are read here.
        epochs: Passes in all.
        ranks: How many processes read lanes of this stream at once.
    """

    def __init__(
        self, stream: StreamedSet, order: StreamOrder, numbers: Sequence[int], *, epochs: int, ranks: int = 1
    ) -> None:
        self._stream, self._order, self._numbers = stream, order, numbers
        self._epochs, self._ranks = epochs, ranks
        self._epoch = -1
        self._opened_at: Position | None = None
        self._lanes: dict[int, _Lane] = {}
        self._sources: dict[int, Prefetched[StreamedWindow]] = {}
        self._held: dict[int, StreamedWindow] = {}
        self._joined: tuple[list[FeatureSet], FeatureSet] | None = None
        self.problems = StreamProblems(
            max_share=stream.max_problem_share, expected_rows=len(stream), splits=stream.ranges
        )

    def read_ahead(self, position: Position) -> None:
        """Begins to read what comes at `position`, for `go_to` to find."""
        self._open(position)
        self._opened_at = position

    def go_to(self, position: Position) -> None:
        """Moves the lanes to a position; the next epoch is being read already, others start from scratch."""
        is_next_epoch = bool(self._sources) and position.epoch == self._epoch + 1 and position.step == 0
        if position != self._opened_at and not is_next_epoch:
            self._open(position)
        self._opened_at = None
        self._epoch = position.epoch
        starts = position.lanes or [LanePosition()] * self._order.lanes
        self._lanes = {number: _Lane(number, starts[number]) for number in self._numbers}

    def positions(self) -> dict[int, LanePosition]:
        """Where each lane stands in the epoch."""
        return {number: lane.position for number, lane in self._lanes.items()}

    def take(self, micro_batch: int) -> list[Part]:
        """The rows of a micro-batch, counted within the epoch: some of each lane that has any left.

        Raises:
            DataProblemError: When a file cannot be read on.
        """
        parts = []
        for lane in self._lanes.values():
            while (rows := lane.next_rows(micro_batch)) is None and self._move_on(lane, micro_batch):
                pass
            if rows is not None:
                assert lane.rows is not None
                parts.append(Part(lane.rows, rows))
        return parts

    def batch(self, parts: Sequence[Part]) -> dict[str, torch.Tensor]:
        """These rows as padded tensors, masked for this epoch; one or more of them."""
        sets = [part.rows for part in parts]
        if self._joined is None or len(self._joined[0]) != len(sets) or any(map(_differ, self._joined[0], sets)):
            self._joined = sets, _join(sets)
        starts = np.cumsum([0, *map(len, sets)])
        positions = [part.positions + start for part, start in zip(parts, starts, strict=False)]
        return self._joined[1].batch(np.concatenate(positions), self._epoch)

    def close(self) -> None:
        """Ends the reading ahead."""
        for source in self._sources.values():
            source.close()

    def _open(self, position: Position) -> None:
        self.close()
        # Windows come in the order in which they were asked for, so lanes with windows of unknown number read alone.
        groups = [self._numbers] if self._stream.one_window_each else [[number] for number in self._numbers]
        for lanes in groups:
            source = self._stream.windows(self._readings(position, lanes), lanes=len(lanes), ranks=self._ranks)
            self._sources |= dict.fromkeys(lanes, source)
        self._held = {}

    def _readings(self, position: Position, lanes: Sequence[int]) -> Iterator[Reading]:
        """What is left to read for these lanes, to the end of the last epoch."""
        yield from self._order.readings(position.epoch, lanes, dict(enumerate(position.lanes)))
        for epoch in range(position.epoch + 1, self._epochs):
            yield from self._order.readings(epoch, lanes)

    def _move_on(self, lane: _Lane, micro_batch: int) -> bool:
        """Gives the lane its next window; False at the end of the epoch."""
        window = self._next_window(lane)
        if window is None:
            return False
        goes_on = lane.rows is None and (window.place, window.number) == (lane.position.place, lane.position.window)
        began = lane.position.began if goes_on else micro_batch
        lane.position = LanePosition(place=window.place, window=window.number, began=began)
        self.problems.take(window.features)
        lane.rows = self._stream.feature_set(window.features)
        lane.batches = self._order.batches(
            self._epoch, lane.number, lengths=lane.rows.lengths, row_hashes=lane.rows.row_hashes, began=began
        )
        return True

    def _next_window(self, lane: _Lane) -> StreamedWindow | None:
        """The lane's next window in this epoch; the windows of other lanes that come before it wait for theirs."""
        if not lane.waiting and self._has_ended(lane):
            return None
        source = self._sources[lane.number]
        while not lane.waiting:
            window = self._held.pop(id(source), None) or next(source, None)
            if window is None:
                return None
            if window.epoch != self._epoch:
                self._held[id(source)] = window
                return None
            self._lanes[window.lane].waiting.append(window)
        return lane.waiting.popleft()

    def _has_ended(self, lane: _Lane) -> bool:
        """True where the current window is known to be the last one, so that there is no need to look further ahead."""
        return (
            self._stream.one_window_each
            and lane.rows is not None
            and lane.position.place + 1 == self._order.ranges_in(lane.number)
        )


def _differ(one: FeatureSet, other: FeatureSet) -> bool:
    return one is not other


def _join(sets: Sequence[FeatureSet]) -> FeatureSet:
    """The rows of all sets, one set after the other, without copying a feature."""
    if len(sets) == 1:
        return sets[0]
    starts = np.cumsum([0, *(rows.table.num_rows for rows in sets)])
    together = dataclasses.replace(
        sets[0],
        table=joined([rows.table for rows in sets]),
        rows=np.concatenate([rows.rows + start for rows, start in zip(sets, starts, strict=False)]),
        _columns={},
    )
    # Known already; hashing thousands of ids again with every window would cost more than the batches.
    vars(together)["row_hashes"] = np.concatenate([rows.row_hashes for rows in sets])
    return together

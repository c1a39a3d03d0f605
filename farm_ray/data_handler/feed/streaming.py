"""Steps from a stream: every rank reads its own lanes and takes a few rows from each of them per micro-batch.

No rank knows when the others' lanes end. So the ranks say to each other before every step how many rows they have for
it; when nobody has any, the epoch is over. What goes wrong on one rank ends the step on all of them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler.data_silo.lanes import Lanes
from farm_ray.data_handler.feed.base import MicroBatch, Step, on_device
from farm_ray.data_handler.order import LanePosition, Position, row_sum
from farm_ray.errors import ClusterError, FarmRayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from farm_ray.data_handler.data_silo.lanes import Part
    from farm_ray.data_handler.data_silo.stream import StreamedSet
    from farm_ray.data_handler.feed.base import FeedPlan
    from farm_ray.ranks import Ranks

_IDS_TOLD = 5
_SUM_PARTS = 4
_PART_BITS = 16


class StreamFeed:
    """The feed of a `StreamedSet`."""

    def __init__(self, stream: StreamedSet, ranks: Ranks, plan: FeedPlan) -> None:
        self._stream, self._plan, self._ranks = stream, plan, ranks
        order = stream.order(plan.batch_size, plan.grad_acc_steps)
        own = order.lanes_of(ranks.rank, ranks.world_size)
        self._batches_per_epoch = stream.batches(plan.batch_size, plan.epochs)
        self._lanes = Lanes(stream, order, own, epochs=plan.epochs, ranks=ranks.world_size)
        # A row that a rank without rows takes part with; it counts nothing.
        self._spare: dict[str, torch.Tensor] | None = None

    @property
    def batches_per_epoch(self) -> int:
        """As `Feed.batches_per_epoch`, an estimate."""
        return self._batches_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """As `Feed.steps_per_epoch`, an estimate."""
        return -(-self.batches_per_epoch // self._plan.grad_acc_steps)

    @property
    def lanes(self) -> int:
        """As `Feed.lanes`."""
        return self._stream.lanes

    def check(self) -> None:
        """As `Feed.check`: all ranks have the same small plan, and each reads other rows."""

    def read_ahead(self, position: Position) -> None:
        """As `Feed.read_ahead`."""
        self._lanes.read_ahead(position)

    def steps(self, position: Position) -> Iterator[Step]:
        """As `Feed.steps`."""
        # Another rank may have met a row's problem in the pass before.
        self._lanes.problems.pass_over(self._problem_tables())
        self._lanes.go_to(position)
        while (step := self._step(position)) is not None:
            yield step
            position = step.following

    def whole_position(self, position: Position) -> Position:
        """As `Feed.whole_position`."""
        if position.step == 0:
            return position
        everywhere: dict[int, LanePosition] = {}
        for lanes in self._ranks.gather(self._lanes.positions()):
            everywhere |= lanes
        return dataclasses.replace(position, lanes=tuple(everywhere[number] for number in sorted(everywhere)))

    def problems(self) -> pa.Table | None:
        """As `Feed.problems`."""
        tables = [*self._lanes.problems.earlier, *self._problem_tables()]
        return pa.concat_tables(tables) if tables else None

    def go_on_from(self, problems: pa.Table) -> None:
        """As `Feed.go_on_from`."""
        self._lanes.problems.pass_over([problems])

    def close(self) -> None:
        """As `Feed.close`."""
        self._lanes.close()

    def _step(self, position: Position) -> Step | None:
        """The step at this position; None on all ranks when the epoch is over."""
        per_step = self._plan.grad_acc_steps
        taken: list[list[Part]] = []
        error: FarmRayError | None = None
        try:
            taken = [self._lanes.take(position.step * per_step + batch) for batch in range(per_step)]
        except FarmRayError as raised:
            error = raised
        rows, everybodys_sum = self._agree([part for parts in taken for part in parts], error)
        if rows == 0:
            return None
        own = [self._lanes.batch(parts) if parts else None for parts in taken]
        spare = self._spare_row(own)
        device = self._ranks.device
        return Step(
            position=position,
            following=Position(epoch=position.epoch, step=position.step + 1),
            micro_batches=tuple(
                MicroBatch(tensors=on_device(spare, device), weight=0.0)
                if tensors is None
                else MicroBatch(tensors=on_device(tensors, device))
                for tensors in own
            ),
            rows=rows,
            row_sum=everybodys_sum,
            ids=lambda: [name for parts in taken for part in parts for name in part.ids()][:_IDS_TOLD],
        )

    def _agree(self, parts: Sequence[Part], error: FarmRayError | None) -> tuple[int, int]:
        """The rows of the step and their `row_sum`, over all ranks; raises on all of them where one has failed."""
        own_sum = sum(row_sum(part.row_hashes()) for part in parts) % (1 << 64)
        # Sums of a few numbers below 2**16 are exact in float64.
        pieces = [float(own_sum >> (_PART_BITS * place) & 0xFFFF) for place in range(_SUM_PARTS)]
        found = self._lanes.problems
        rows, failed, bad, *sums = self._ranks.sum(
            float(sum(map(len, parts))), float(error is not None), float(found.number), *pieces
        )
        if error is not None:
            raise error
        if failed:
            raise ClusterError("another worker could not go on; see its message", code="another-worker-failed")
        if found.too_many(int(bad)):
            found.refuse(self._problem_tables())
        return int(rows), sum(int(piece) << (_PART_BITS * place) for place, piece in enumerate(sums)) % (1 << 64)

    def _problem_tables(self) -> list[pa.Table]:
        return [table for rank in self._ranks.gather(self._lanes.problems.tables) for table in rank]

    def _spare_row(self, own: Sequence[dict[str, torch.Tensor] | None]) -> dict[str, torch.Tensor]:
        """A row for micro-batches in which this rank has none; at the first step the ranks show each other one."""
        if self._spare is None:
            mine = next(({name: tensor[:1] for name, tensor in one.items()} for one in own if one is not None), None)
            self._spare = next(row for row in self._ranks.gather(mine) if row is not None)
        return self._spare

"""Steps from rows in memory: every rank holds all rows, plans alike and takes its share of each micro-batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from farm_ray.data_handler.feed.base import MicroBatch, Step, on_device
from farm_ray.data_handler.order import InMemoryOrder, Position, StepRows, row_sum, share
from farm_ray.errors import ClusterError
from farm_ray.reproducibility import splitmix64

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.feature_columns import Positions
    from farm_ray.data_handler.feed.base import FeedPlan
    from farm_ray.ranks import Ranks

_IDS_TOLD = 5


class InMemoryFeed:
    """The feed of a `FeatureSet`."""

    def __init__(self, train: FeatureSet, ranks: Ranks, plan: FeedPlan) -> None:
        self._train, self._ranks = train, ranks
        self._order = InMemoryOrder(
            lengths=train.lengths,
            row_hashes=train.row_hashes,
            seed=plan.seed,
            batch_size=plan.batch_size,
            grad_acc_steps=plan.grad_acc_steps,
        )

    @property
    def batches_per_epoch(self) -> int:
        """As `Feed.batches_per_epoch`, exact."""
        return self._order.batches_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """As `Feed.steps_per_epoch`, exact."""
        return self._order.steps_per_epoch

    @property
    def lanes(self) -> int:
        """As `Feed.lanes`."""
        return 0

    def check(self) -> None:
        """As `Feed.check`: every rank plans by itself, so all must hold the same rows in the same places."""
        places = splitmix64(np.arange(len(self._train), dtype=np.uint64))
        fingerprint = int(splitmix64(self._train.row_hashes ^ places).sum(dtype=np.uint64))
        fingerprints = self._ranks.gather(fingerprint)
        if len(set(fingerprints)) > 1:
            told = ", ".join(f"rank {rank} {value:016x}" for rank, value in enumerate(fingerprints))
            raise ClusterError(
                f"the ranks did not get the same training rows in the same order (fingerprints: {told}); "
                "start again, or train with num_workers=0, which moves no rows",
                code="ranks-disagree",
            )

    def read_ahead(self, position: Position) -> None:
        """As `Feed.read_ahead`: all is there."""

    def steps(self, position: Position) -> Iterator[Step]:
        """As `Feed.steps`."""
        for rows in self._order.steps(position.epoch, first=position.step):
            yield self._step(rows)

    def whole_position(self, position: Position) -> Position:
        """As `Feed.whole_position`: all ranks know all of it."""
        return position

    def problems(self) -> None:
        """As `Feed.problems`: the silo has quarantined them before."""

    def go_on_from(self, problems: pa.Table) -> None:
        """As `Feed.go_on_from`: there are none."""

    def close(self) -> None:
        """As `Feed.close`."""

    def _step(self, step: StepRows) -> Step:
        rows = step.rows
        return Step(
            position=step.position,
            following=self._order.next_position(step.position),
            micro_batches=tuple(self._own_share(batch, step.position.epoch) for batch in step.micro_batches),
            rows=len(rows),
            row_sum=row_sum(self._train.row_hashes[rows]),
            ids=lambda: self._train.subset(rows[:_IDS_TOLD]).ids(),
        )

    def _own_share(self, batch: Positions, epoch: int) -> MicroBatch:
        own = share(batch, self._ranks.rank, self._ranks.world_size)
        rows, weight = (own, 1.0) if len(own) else (batch[:1], 0.0)
        return MicroBatch(tensors=on_device(self._train.batch(rows, epoch), self._ranks.device), weight=weight)

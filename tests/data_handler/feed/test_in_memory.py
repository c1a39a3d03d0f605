"""Steps from rows in memory: every rank takes its share, and all must hold the same rows."""

import numpy as np
import pytest

from farm_ray.data_handler.feed.base import FeedPlan
from farm_ray.data_handler.feed.in_memory import InMemoryFeed
from farm_ray.data_handler.order import Position
from farm_ray.errors import ClusterError
from farm_ray.ranks import Ranks
from tests.data_handler.test_batches import feature_set, table
from tests.raised import raised

PLAN = FeedPlan(epochs=1, batch_size=2, grad_acc_steps=2)


def other_rank_says(change):
    class Two(Ranks):
        __slots__ = ()

        def gather(self, value):
            return [value, change(value)]

    return Two(rank=0, world_size=2)


def test_ranks_of_other_rows_are_refused():
    InMemoryFeed(feature_set(table()), other_rank_says(lambda value: value), PLAN).check()
    with raised(ClusterError, "ranks-disagree"):
        InMemoryFeed(feature_set(table()), other_rank_says(lambda value: value + 1), PLAN).check()


def test_the_fingerprint_tells_the_order_of_rows():
    told = []
    for rows in ([0, 1, 2, 3], [1, 0, 2, 3]):
        one = feature_set(table()).subset(np.array(rows))
        InMemoryFeed(one, other_rank_says(lambda value: told.append(value) or value), PLAN).check()
    assert told[0] != told[1]


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_shares_of_all_ranks_are_the_step(ranks):
    feeds = [InMemoryFeed(feature_set(table()), Ranks(rank=rank, world_size=ranks), PLAN) for rank in range(ranks)]
    for steps in zip(*(feed.steps(Position()) for feed in feeds), strict=True):
        shares = [batch for step in steps for batch in step.micro_batches]
        # A rank without rows takes part with one that counts nothing.
        assert sum(len(batch.tensors["input_ids"]) for batch in shares if batch.weight) == steps[0].rows == 4
        assert all(len(batch.tensors["input_ids"]) == 1 for batch in shares if not batch.weight)
        assert len({(step.row_sum, step.following) for step in steps}) == 1

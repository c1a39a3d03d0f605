"""The order of a stream: every range once, lanes of like sizes, batches of similar lengths, and going on in the middle."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm_ray.data_handler.order import LanePosition, StreamOrder
from farm_ray.errors import ConfigError
from farm_ray.reproducibility import hash_ids
from tests.raised import raised


def order(ranges=20, **options):
    names = [f"train.txt@{number}" for number in range(ranges)]
    return StreamOrder(range_hashes=hash_ids(names), **({"seed": 1, "batch_size": 8, "lanes": 4} | options))


@given(ranges=st.integers(0, 30), lanes=st.integers(1, 8), epoch=st.integers(0, 3))
def test_every_range_is_in_one_lane(ranges, lanes, epoch):
    dealt = [order(ranges, lanes=lanes).lane_ranges(epoch, lane) for lane in range(lanes)]
    assert sorted(np.concatenate(dealt).tolist()) == list(range(ranges))
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    assert [order(ranges, lanes=lanes).ranges_in(lane) for lane in range(lanes)] == list(map(len, dealt))


def test_another_epoch_and_another_seed_are_another_order():
    first = order().lane_ranges(0, 0).tolist()
    assert order().lane_ranges(0, 0).tolist() == first
    assert order().lane_ranges(1, 0).tolist() != first
    assert order(seed=2).lane_ranges(0, 0).tolist() != first


@given(batch_size=st.integers(1, 40), lanes=st.integers(1, 40))
def test_lanes_share_a_batch(batch_size, lanes):
    if lanes > batch_size:
        with raised(ConfigError, "more-lanes-than-rows"):
            order(batch_size=batch_size, lanes=lanes)
        return
    rows = [order(batch_size=batch_size, lanes=lanes).rows_per_batch(lane) for lane in range(lanes)]
    assert sum(rows) == batch_size
    assert min(rows) >= 1
    assert max(rows) - min(rows) <= 1


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_ranks_share_the_lanes(world):
    assert sorted(itertools.chain(*(order().lanes_of(rank, world) for rank in range(world)))) == [0, 1, 2, 3]


def test_more_ranks_than_lanes_are_refused():
    with raised(ConfigError, "more-workers-than-lanes", value=5, lanes=4):
        order().lanes_of(0, 5)


def test_lanes_take_turns_and_go_on_from_a_place():
    plan = order(10)
    whole = list(plan.readings(2, [1, 3]))
    assert [reading.lane for reading in whole] == [1, 3, 1, 3, 1]
    assert {reading.epoch for reading in whole} == {2}
    rest = list(plan.readings(2, [1, 3], {1: LanePosition(place=1, window=4), 3: LanePosition(place=2)}))
    assert [(reading.lane, reading.place, reading.first_window) for reading in rest] == [(1, 1, 4), (1, 2, 0)]
    assert [reading.range for reading in rest] == plan.lane_ranges(2, 1)[1:].tolist()


def window(rows, seed=0):
    generator = np.random.default_rng(seed)
    hashes = hash_ids([f"{seed}-{number}" for number in range(rows)])
    return {"lengths": generator.integers(3, 128, rows), "row_hashes": hashes}


@given(rows=st.integers(0, 70), batch_size=st.integers(4, 20), began=st.integers(0, 1000))
def test_every_row_of_a_window_is_used_once(rows, batch_size, began):
    plan = order(batch_size=batch_size)
    batches = plan.batches(0, 1, **window(rows), began=began)
    assert sorted(itertools.chain(*batches)) == list(range(rows))
    assert len(batches) == -(-rows // plan.rows_per_batch(1))


def test_lanes_are_at_short_rows_together():
    """Two windows of different sizes that begin at different times: the padding is near that of rows sorted by length."""
    plan = order(batch_size=16)
    windows = [window(400, 1), window(333, 2)]
    lanes = [plan.batches(0, lane, **one, began=7 * lane) for lane, one in enumerate(windows)]
    lengths = [
        np.concatenate([one["lengths"][lane[at]] for one, lane, at in zip(windows, lanes, (at + 7, at), strict=True)])
        for at in range(60)
    ]
    waste = np.mean([batch.max() * len(batch) / batch.sum() for batch in lengths])
    mixed = np.concatenate([one["lengths"] for one in windows])
    assert waste < 1.3 < mixed.max() / mixed.mean()

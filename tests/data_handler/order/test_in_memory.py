"""The training order: complete, seeded, of similar lengths, and the same for any number of workers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm_ray.data_handler.order import (
    START,
    InMemoryOrder,
    Position,
    advance,
    evaluation_batches,
    row_sum,
    share,
)
from farm_ray.reproducibility import hash_ids


def order(rows: int, *, batch_size: int = 4, seed: int = 1, grad_acc_steps: int = 1) -> InMemoryOrder:
    lengths = np.random.default_rng(0).integers(3, 60, rows)
    hashes = hash_ids([f"train.tsv:{n}" for n in range(rows)])
    return InMemoryOrder(
        lengths=lengths, row_hashes=hashes, seed=seed, batch_size=batch_size, grad_acc_steps=grad_acc_steps
    )


@given(rows=st.integers(1, 700), batch_size=st.integers(1, 9), window=st.integers(1, 4))
def test_every_row_once_per_epoch(rows, batch_size, window):
    plan = order(rows, batch_size=batch_size, grad_acc_steps=window)
    steps = plan.steps(3)
    assert len(steps) == plan.steps_per_epoch
    assert sorted(np.concatenate([step.rows for step in steps]).tolist()) == list(range(rows))
    assert sum(len(step.micro_batches) for step in steps) == plan.batches_per_epoch


def test_only_one_batch_of_an_epoch_is_short():
    sizes = [len(batch) for batch in order(1001, batch_size=8).batches(0)]
    assert sorted(sizes)[:2] == [1, 8]


def test_epochs_and_seeds_differ_and_repeat():
    def rows(seed, epoch):
        return np.concatenate(order(300, seed=seed).batches(epoch)).tolist()

    assert rows(1, 0) == rows(1, 0)
    assert rows(1, 0) != rows(1, 1)
    assert rows(1, 0) != rows(2, 0)


def after(order_hash, row_hashes):
    """The hash after a step that used these rows."""
    return advance(order_hash, row_sum(row_hashes))


def test_batches_hold_similar_lengths_and_come_in_any_order():
    plan = order(4000, batch_size=16)
    batches = plan.batches(0)
    spread = np.mean([np.ptp(plan.lengths[batch]) for batch in batches])
    assert spread < 3
    firsts = np.array([plan.lengths[batch[0]] for batch in batches])
    assert abs(np.corrcoef(firsts[:-1], firsts[1:])[0, 1]) < 0.3


def test_order_follows_the_ids_not_the_places():
    """Reading the same rows in another order trains the same batches."""
    plan = order(64)
    turned = InMemoryOrder(lengths=plan.lengths[::-1], row_hashes=plan.row_hashes[::-1], seed=1, batch_size=64)
    whole = InMemoryOrder(lengths=plan.lengths, row_hashes=plan.row_hashes, seed=1, batch_size=64)
    assert after(START, whole.row_hashes[whole.steps(0)[0].rows]) == after(
        START, turned.row_hashes[turned.steps(0)[0].rows]
    )


def test_resuming_takes_the_same_steps():
    plan = order(100, grad_acc_steps=2)
    resumed = plan.steps(1, first=5)
    assert resumed[0].position == Position(epoch=1, step=5)
    for ours, theirs in zip(resumed, plan.steps(1)[5:], strict=True):
        assert ours.rows.tolist() == theirs.rows.tolist()
    assert plan.next_position(Position(epoch=1, step=plan.steps_per_epoch - 1)) == Position(epoch=2, step=0)


@given(rows=st.integers(0, 40), world=st.integers(1, 9))
def test_shares_cover_a_batch_in_order(rows, world):
    batch = np.arange(rows)
    shares = [share(batch, rank, world) for rank in range(world)]
    assert np.concatenate(shares).tolist() == batch.tolist()
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_evaluation_sees_every_row_once(world):
    lengths = order(50).lengths
    batches = [b for rank in range(world) for b in evaluation_batches(lengths, 8, rank=rank, world_size=world)]
    assert sorted(np.concatenate(batches).tolist()) == list(range(50))

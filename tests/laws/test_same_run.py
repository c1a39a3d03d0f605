"""Randomness belongs to the row; the same rows in step s whatever the workers: tried on whole runs.

Dropout is off where runs with different numbers of workers are compared: its numbers belong to a process.
"""

import pytest
import torch

from tests.runs import BrokenOffError, break_off_after, small_run, small_silo, small_trainer


@pytest.fixture(scope="module")
def whole(tiny_folder):
    """The result and the weights of a run that nobody touched."""
    return small_run(tiny_folder, dropout=0.1)


def test_two_runs_are_one(tiny_folder, whole):
    one, first = whole
    two, second = small_run(tiny_folder, dropout=0.1)
    assert one.order_hash == two.order_hash
    assert one.losses == two.losses
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_seed_is_another_order(tiny_folder):
    changed = small_silo(tiny_folder)
    changed.seed = 43
    assert small_run(tiny_folder)[0].order_hash != small_run(tiny_folder, silo=changed)[0].order_hash


def test_every_row_is_used_once_per_epoch(tiny_folder):
    made = small_silo(tiny_folder)
    result, _ = small_run(tiny_folder, silo=made)
    assert result.rows == 2 * made.n_samples("train")
    assert result.steps == 2 * 3


def test_accumulating_changes_nothing(tiny_folder):
    """Batches of 8 by two micro-batches: the step's loss is the mean over all its rows, short windows included."""
    wide, first = small_run(tiny_folder, grad_acc_steps=1, silo=small_silo(tiny_folder, batch_size=64))
    narrow, second = small_run(tiny_folder, grad_acc_steps=64, silo=small_silo(tiny_folder, batch_size=1))
    assert wide.order_hash == narrow.order_hash
    assert wide.losses == pytest.approx(narrow.losses, rel=1e-4)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-2, atol=1e-4)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_workers_change_the_speed_not_the_run(tiny_folder):
    alone, weights = small_run(tiny_folder, num_workers=0)
    result, theirs = small_run(tiny_folder, num_workers=2)
    assert result.order_hash == alone.order_hash
    assert result.losses == pytest.approx(alone.losses, rel=1e-4)
    assert result.dev[0]["loss"] == pytest.approx(alone.dev[0]["loss"], rel=1e-3)
    for name in weights:
        torch.testing.assert_close(theirs[name], weights[name], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_broken_and_resumed_is_unbroken(tiny_folder, whole, tmp_path, stop_after):
    """Bit for bit, dropout on: in the middle of an epoch, at its end, and in the next one."""
    unbroken, weights = whole
    broken = small_trainer(
        tiny_folder,
        dropout=0.1,
        checkpoint_every=1,
        checkpoint_root_dir=tmp_path,
        progress=break_off_after(stop_after),
    )
    with pytest.raises(BrokenOffError):
        broken.train()
    resumed, theirs = small_run(tiny_folder, checkpoint_root_dir=tmp_path, dropout=0.1)
    assert resumed.resumed_from is not None
    assert resumed.order_hash == unbroken.order_hash
    assert resumed.losses == unbroken.losses
    assert all(torch.equal(weights[name], theirs[name]) for name in weights)

"""A streamed run is one run: whatever the workers, and broken or not. As `test_same_run`, for data that is never whole."""

import pytest
import torch

from tests.runs import BrokenOffError, break_off_after, small_trainer
from tests.stream_runs import stream_run, text_stream, write_tables


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"))


ROWS = sum(23 + 2 * number for number in range(7))


def test_every_row_is_used_once_per_epoch(tiny_folder, tables):
    result, _ = stream_run(tiny_folder, tables)
    assert result.rows == 2 * ROWS
    assert result.problems is None


def test_two_runs_are_one_and_another_seed_is_another(tiny_folder, tables):
    one, first = stream_run(tiny_folder, tables, dropout=0.1)
    two, second = stream_run(tiny_folder, tables, dropout=0.1)
    assert (one.order_hash, one.losses) == (two.order_hash, two.losses)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert stream_run(tiny_folder, tables, stream={"seed": 1})[0].order_hash != one.order_hash


@pytest.mark.parametrize("stop_after", [1, 7, 10, 13])
def test_broken_and_resumed_is_unbroken(tiny_folder, tables, tmp_path, stop_after):
    unbroken, weights = stream_run(tiny_folder, tables, dropout=0.1)
    broken = small_trainer(
        tiny_folder,
        silo=text_stream(tiny_folder, tables),
        dropout=0.1,
        checkpoint_every=1,
        checkpoint_root_dir=tmp_path,
        progress=break_off_after(stop_after),
    )
    with pytest.raises(BrokenOffError):
        broken.train()
    resumed, theirs = stream_run(tiny_folder, tables, dropout=0.1, checkpoint_root_dir=tmp_path)
    assert resumed.resumed_from is not None
    assert (resumed.order_hash, resumed.losses) == (unbroken.order_hash, unbroken.losses)
    assert all(torch.equal(weights[name], theirs[name]) for name in weights)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_workers_change_the_speed_not_the_run(tiny_folder, tables):
    alone, weights = stream_run(tiny_folder, tables)
    for workers in (1, 2):
        result, theirs = stream_run(tiny_folder, tables, num_workers=workers)
        assert result.order_hash == alone.order_hash
        assert result.losses == pytest.approx(alone.losses, rel=1e-4)
        for name in weights:
            torch.testing.assert_close(theirs[name], weights[name], rtol=1e-2, atol=1e-4)

"""Writing beside the training: one after the other, and what goes wrong is told."""

import threading
from types import SimpleNamespace

import pytest

from farm_ray.errors import ConfigError
from farm_ray.train import checkpoint_writer
from farm_ray.train.checkpoint_store import CheckpointStore
from farm_ray.train.checkpoint_writer import CheckpointWriter
from farm_ray.train.step_log import StepLog


@pytest.fixture
def slow(monkeypatch):
    """Filling a folder waits for this event."""
    event = threading.Event()

    def fill(folder, snapshot):
        assert event.wait(10)
        if snapshot.bad:
            raise ConfigError("the disk is full")
        (folder / "content").write_text(snapshot.name)

    monkeypatch.setattr(checkpoint_writer.checkpoint, "fill", fill)
    return event


def snapshot(step, *, bad=False):
    return SimpleNamespace(name=f"epoch_0_step_{step}", bad=bad)


def make_writer(tmp_path, heard):
    log = StepLog()
    for step in range(9):
        log.add(float(step), 0.1)
    store = CheckpointStore(str(tmp_path))
    return CheckpointWriter(store, keep=2, step_log=log, resumed_from=None, on_written=heard.append)


def test_the_training_does_not_wait(slow, tmp_path):
    heard = []
    writer = make_writer(tmp_path, heard)
    writer.write(snapshot(0), steps=1)
    assert not heard
    slow.set()
    writer.write(snapshot(1), steps=2)
    writer.write(snapshot(2), steps=3)
    writer.finish()
    assert heard == [str(tmp_path / f"epoch_0_step_{step}") for step in range(3)]
    assert CheckpointStore(str(tmp_path)).names() == ["epoch_0_step_1", "epoch_0_step_2"]
    assert (tmp_path / "steps.tsv").read_text().count("\n") == 4


def test_what_goes_wrong_is_raised_by_the_next_one(slow, tmp_path):
    writer = make_writer(tmp_path, [])
    slow.set()
    writer.write(snapshot(0, bad=True), steps=1)
    writer.wait()
    with pytest.raises(ConfigError, match="the disk is full"):
        writer.write(snapshot(1), steps=2)
    writer.write(snapshot(2), steps=2)
    writer.finish()
    assert CheckpointStore(str(tmp_path)).names() == ["epoch_0_step_2"]


def test_what_goes_wrong_last_is_raised_at_the_end(slow, tmp_path):
    writer = make_writer(tmp_path, [])
    slow.set()
    writer.write(snapshot(0, bad=True), steps=1)
    with pytest.raises(ConfigError, match="the disk is full"):
        writer.finish()
    writer.finish()

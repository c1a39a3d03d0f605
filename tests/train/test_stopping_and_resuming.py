"""Runs that go over older ones, are stopped, or go on."""

import math
import os
import shutil
import signal
import warnings
from pathlib import Path

import pytest

from farm_ray.errors import ConfigError
from farm_ray.train import EarlyStopping
from tests.runs import BrokenOffError, break_off_after, small_run, small_silo, small_trainer


def terminate_at(step):
    def progress(stage, done, _total, _note):
        if stage == "train" and done == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return progress


def test_a_fresh_run_over_an_older_one_keeps_its_own_checkpoints(tiny_folder, tmp_path):
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path, epochs=4)
    stopped, _ = small_run(
        tiny_folder, checkpoint_root_dir=tmp_path, epochs=4, resume="never", progress=terminate_at(2)
    )
    assert [str(path) for path in tmp_path.glob("epoch_*")] == [stopped.checkpoint]
    assert (tmp_path / "steps.tsv").read_text().count("\n") == 1 + stopped.steps


def test_a_stopped_run_publishes_no_best_model(tiny_folder, tmp_path):
    stopping = EarlyStopping(save_dir=tmp_path / "best", patience=50)
    small_run(tiny_folder, progress=terminate_at(2), early_stopping=stopping, evaluate_every=1)
    assert not (tmp_path / "best").exists()


def test_without_checkpoint_on_sigterm_the_signal_does_what_it_did(tiny_folder):
    class TerminatedError(Exception):
        pass

    def raising(*_):
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, raising)
    try:
        with pytest.raises(TerminatedError):
            small_run(tiny_folder, progress=terminate_at(2), checkpoint_on_sigterm=False)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_resuming_a_finished_run_counts_its_last_evaluation_once(tiny_folder, tmp_path):
    seen = []
    for _ in range(2):
        stopping = EarlyStopping(patience=50)
        options = {"evaluate_every": 1, "checkpoint_every": 1, "checkpoint_root_dir": tmp_path}
        result, _ = small_run(tiny_folder, early_stopping=stopping, **options)
        seen.append((stopping.eval_values, result.dev[0]["loss"]))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] == pytest.approx(seen[1][1])


def test_a_head_whose_loss_is_not_per_row_is_refused(tiny_folder):
    trainer = small_trainer(tiny_folder, silo=small_silo(tiny_folder, dev_split=0))
    trainer.model.prediction_heads[0].loss_reduction = "mean"
    with pytest.raises(ConfigError, match='loss_reduction="none"'):
        trainer.train()


def test_checkpoints_do_not_grow_with_the_steps_and_no_loss_is_lost(tiny_folder, tmp_path):
    unbroken, _ = small_run(tiny_folder, epochs=8)
    options = {"epochs": 8, "checkpoint_every": 2, "checkpoint_root_dir": tmp_path, "checkpoints_to_keep": 99}
    for stop_after in (9, 19):
        with pytest.raises(BrokenOffError):
            small_run(tiny_folder, progress=break_off_after(stop_after), **options)
    resumed, _ = small_run(tiny_folder, **options)
    assert resumed.resumed_from == str(tmp_path / "epoch_5_step_2")
    assert (resumed.losses, resumed.learning_rates) == (unbroken.losses, unbroken.learning_rates)
    sizes = [path.stat().st_size for path in tmp_path.glob("epoch_*/progress.json")]
    assert max(sizes) - min(sizes) < 10
    rows = [line.split("\t") for line in (tmp_path / "steps.tsv").read_text().splitlines()[1:]]
    assert [float(loss) for _, loss, _ in rows] == unbroken.losses


def test_a_checkpoint_without_its_run_goes_on_without_the_losses_before_it(tiny_folder, tmp_path):
    small_run(tiny_folder, checkpoint_every=2, checkpoints_to_keep=9, checkpoint_root_dir=tmp_path / "run")
    moved = shutil.copytree(tmp_path / "run" / "epoch_0_step_1", tmp_path / "moved")
    options = {"checkpoint_every": 2, "checkpoint_root_dir": tmp_path / "other"}
    with pytest.warns(UserWarning, match=r"steps\.tsv is missing"):
        result, _ = small_run(tiny_folder, resume=str(moved), **options)
    assert [math.isnan(loss) for loss in result.losses] == [True] * 2 + [False] * 4
    again = shutil.copytree(tmp_path / "run" / "epoch_1_step_0", tmp_path / "run" / "named")
    with warnings.catch_warnings(action="error"):
        named, _ = small_run(tiny_folder, resume=str(again), **options)
    assert named.losses == small_run(tiny_folder)[0].losses


def test_what_a_killed_run_left_goes_when_it_goes_on(tiny_folder, tmp_path):
    left = tmp_path / ".epoch_0_step_1.writing-01234567-1-89abcdef"
    left.mkdir()
    os.utime(left, (0, 0))
    small_run(tiny_folder, checkpoint_root_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


class Counter:
    """An own early stopping with FARM's method alone."""

    save_dir = None

    def __init__(self):
        self.seen = 0

    def check_stopping(self, result):
        self.seen += 1
        return False, False, result[0]["loss"]


def run_twice(folder, stopping, **options):
    """Evaluations seen by each of two `train()` of one trainer, and where the second went on from."""
    trainer = small_trainer(folder, early_stopping=stopping, evaluate_every=1, **options)
    seen = []
    for _ in range(2):
        trainer.train()
        seen.append(list(stopping.eval_values))
    return seen, trainer.result.resumed_from


def test_a_second_fit_starts_early_stopping_anew(tiny_folder):
    (first, second), resumed = run_twice(tiny_folder, EarlyStopping(patience=50))
    assert resumed is None
    assert len(first) == len(second) == 6
    counter = Counter()
    small_trainer(tiny_folder, early_stopping=counter, evaluate_every=1).train()
    assert counter.seen == 6


def test_a_second_fit_that_goes_on_keeps_what_the_checkpoint_holds(tiny_folder, tmp_path):
    (first, second), resumed = run_twice(
        tiny_folder, EarlyStopping(patience=50), checkpoint_every=1, checkpoint_root_dir=tmp_path
    )
    assert Path(resumed).name == "epoch_1_step_2"
    assert first == second
    assert len(first) == 6


def test_checkpoints_by_time_and_at_the_end_of_epochs(tiny_folder, tmp_path):
    for name, seconds in (("soon", 0.0), ("late", 3600.0)):
        small_run(
            tiny_folder, checkpoint_every_seconds=seconds, checkpoint_root_dir=tmp_path / name, checkpoints_to_keep=9
        )
    assert len(list((tmp_path / "soon").glob("epoch_*"))) == 6
    assert sorted(path.name for path in (tmp_path / "late").glob("epoch_*")) == ["epoch_0_step_2", "epoch_1_step_2"]


def test_ctrl_c_writes_a_checkpoint_and_is_raised_then(tiny_folder, tmp_path):
    def interrupt(stage, done, _total, _note):
        if stage == "train" and done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        small_run(tiny_folder, checkpoint_root_dir=tmp_path, progress=interrupt)
    assert [path.name for path in tmp_path.glob("epoch_*")] == ["epoch_0_step_2"]
    resumed, _ = small_run(tiny_folder, checkpoint_root_dir=tmp_path)
    assert resumed.losses == small_run(tiny_folder)[0].losses

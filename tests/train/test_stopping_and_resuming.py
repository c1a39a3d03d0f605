"""Runs that go over older ones, are stopped, or go on."""

import math
import os
import shutil
import signal
import warnings
from pathlib import Path

import pytest
import torch

from farm_ray.data_handler.run_sets import RunSets
from farm_ray.errors import CheckpointError, ConfigError
from farm_ray.ranks import Ranks
from farm_ray.train import EarlyStopping, Trainer, notices
from farm_ray.train.notices import Notice
from farm_ray.train.settings import TrainSettings
from farm_ray.train.worker import Worker
from tests.runs import BrokenOffError, Silent, break_off_after, small_model, small_run, small_silo, small_trainer


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


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_early_stopping_starts_anew_or_goes_on_as_here(tiny_folder, tmp_path):
    stopping = EarlyStopping(patience=50)
    options = {"early_stopping": stopping, "evaluate_every": 1}
    stored = {"checkpoint_every": 1, "checkpoint_root_dir": tmp_path}
    small_run(tiny_folder, **options, **stored)
    here = list(stopping.eval_values)
    resumed, _ = small_run(tiny_folder, num_workers=1, **options, **stored)
    assert Path(resumed.resumed_from).name == "epoch_1_step_2"
    assert stopping.eval_values == here


def killed_once(flag, *, at_step):
    """A sum of losses that kills its process in this step, unless the flag says that it has done so."""

    def sum_of_losses(losses, global_step=None, batch=None):
        if global_step == at_step and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return sum(losses)

    return sum_of_losses


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_a_lost_worker_is_started_again_and_nothing_shows(tiny_folder, tmp_path):
    """The run starts from scratch, over an older one; what it resumes from is its own checkpoint."""
    runs = {}
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path / "1", epochs=1)
    for workers, step in ((0, -1), (1, 4)):
        stopping = EarlyStopping(patience=50)
        trainer = small_trainer(
            tiny_folder,
            dropout=0.2,
            num_workers=workers,
            early_stopping=stopping,
            evaluate_every=1,
            checkpoint_every=1,
            checkpoint_root_dir=tmp_path / str(workers),
            resume="never",
        )
        trainer.model.loss_aggregation_fn = killed_once(tmp_path / "flag", at_step=step)
        runs[workers] = trainer.train().state_dict(), trainer.result, stopping.eval_values
    (weights, unbroken, here), (again, broken, there) = runs.values()
    assert (unbroken.restarts, broken.restarts) == (0, 1)
    # The one of the step before may have been half-written.
    assert Path(broken.resumed_from).name in {"epoch_0_step_2", "epoch_1_step_0"}
    assert broken.order_hash == unbroken.order_hash
    assert broken.rows == unbroken.rows
    assert broken.rows_repeated == 0
    # To the last bit only among processes of one kind, which the chaos suite shows.
    assert broken.losses == pytest.approx(unbroken.losses, rel=1e-5)
    assert there == pytest.approx(here, rel=1e-5)
    for name in weights:
        torch.testing.assert_close(again[name], weights[name], rtol=1e-3, atol=1e-6)


def test_farms_way_to_a_checkpoint(tiny_folder, tmp_path):
    """The newest one, a named one, or none; a wrong name is told at once."""

    def trainer(**options):
        made = small_trainer(tiny_folder)
        return Trainer.create_or_load_checkpoint(
            made.data_silo,
            tmp_path,
            made.model,
            epochs=2,
            learning_rate=1e-3,
            evaluate_every=0,
            grad_acc_steps=2,
            checkpoint_every=1,
            checkpoints_to_keep=9,
            **options,
        )

    first = trainer()
    first.train()
    assert first.result.resumed_from is None
    named = trainer(resume_from_checkpoint="epoch_0_step_1")
    named.train()
    assert Path(named.result.resumed_from).name == "epoch_0_step_1"
    assert named.result.losses == first.result.losses
    newest = trainer()
    newest.train()
    assert Path(newest.result.resumed_from).name == "epoch_1_step_2"
    with pytest.raises(CheckpointError, match=r"no checkpoint at epoch_9_step_9; there are: epoch_0_step_0, "):
        trainer(resume_from_checkpoint="epoch_9_step_9")


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


def test_a_notice_is_heeded_once(tiny_folder, tmp_path, monkeypatch):
    """SAVE writes one checkpoint and goes on, STOP ends the run with one."""
    monkeypatch.setattr(notices, "_SECONDS_BETWEEN_NOTICES", 0.0)
    silo, model = small_silo(tiny_folder), small_model(tiny_folder)
    model.connect_heads_with_processor(silo.processor.tasks)
    told = iter([Notice.NONE, Notice.SAVE, Notice.SAVE, Notice.STOP])
    settings = TrainSettings(
        epochs=9, batch_size=8, eval_batch_size=8, learning_rate=1e-3, checkpoint_root_dir=str(tmp_path)
    )
    run = Worker(
        lambda: model, RunSets.of(silo.data), settings, ranks=Ranks(), listener=Silent(), notice=lambda: next(told)
    )
    result = run.run()
    assert result.preempted
    assert result.steps == 4
    assert sorted(path.name for path in tmp_path.glob("epoch_*")) == ["epoch_0_step_1", "epoch_0_step_3"]

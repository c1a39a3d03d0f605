"""Runs that go over older ones, are stopped, or go on."""

import os
import signal

import pytest

from farm_ray.errors import ConfigError
from farm_ray.train import EarlyStopping
from tests.runs import small_run, small_silo, small_trainer


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
    assert [str(path) for path in tmp_path.iterdir()] == [stopped.checkpoint]


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

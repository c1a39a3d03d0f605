"""Training on Ray, as in this process."""

import os
import signal
from pathlib import Path

import pytest
import torch

from farm_ray.errors import ClusterError, DataProblemError
from farm_ray.evaluation.metrics import register_metrics
from farm_ray.train import EarlyStopping
from tests.runs import labelled_dicts, small_run, small_silo, small_trainer


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_early_stopping_and_own_metrics_on_ray_as_here(tiny_folder):
    """The driver's object ends in the same state, and functions registered here are known there."""
    register_metrics("share_of_good", lambda preds, _labels: {"share_of_good": preds.count("good") / len(preds)})
    runs = []
    for workers in (0, 1):
        stopping = EarlyStopping(metric="share_of_good", mode="max", patience=2)
        silo = small_silo(tiny_folder, metric="share_of_good")
        trainer = small_trainer(
            tiny_folder, silo=silo, epochs=4, evaluate_every=2, early_stopping=stopping, num_workers=workers
        )
        trainer.train()
        runs.append((stopping.eval_values, trainer.result.steps, trainer.result.dev[0]["share_of_good"]))
    assert runs[0] == runs[1]
    assert len(runs[0][0]) > 1


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpus_that_a_local_ray_does_not_have(tiny_folder):
    with pytest.raises(ClusterError, match="2 workers with a GPU each were asked for, and there are 0 GPUs"):
        small_trainer(tiny_folder, num_workers=2, use_gpu=True).train()


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_errors_in_a_worker_come_back_as_they_are(tiny_folder):
    with pytest.raises(DataProblemError, match="loss became"):
        small_run(
            tiny_folder, learning_rate=1e30, max_grad_norm=None, optimizer_opts={"name": "SGD"}, epochs=9, num_workers=1
        )


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_the_driver_hears_and_stops_a_run_of_fewer_rows_than_workers(tiny_folder, tmp_path):
    """News reach the driver's progress; SIGTERM to the driver stops all ranks with one checkpoint, at whatever step."""
    heard = []

    def progress(stage, done, total, note):
        heard.append((stage, done, total, note))
        if stage == "train" and not any(news[0] == "sent" for news in heard):
            heard.append(("sent", 0, 0, ""))
            os.kill(os.getpid(), signal.SIGTERM)

    silo = small_silo(tiny_folder, dicts=labelled_dicts(2), dev_split=0)
    options = {"silo": silo, "schedule_opts": {"name": "Constant"}}
    alone, _ = small_run(tiny_folder, epochs=5, **options)
    result, _ = small_run(
        tiny_folder, epochs=10**6, num_workers=3, checkpoint_root_dir=tmp_path, progress=progress, **options
    )
    assert result.preempted
    assert max(done for stage, done, *_ in heard if stage == "train") <= result.steps == len(result.losses)
    assert result.rows == 2 * result.steps
    assert result.losses[:5] == pytest.approx(alone.losses[: result.steps], rel=1e-4)
    assert result.checkpoint == str(tmp_path / f"epoch_{result.steps - 1}_step_0")
    assert Path(result.checkpoint).is_dir()


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

"""A whole run through the library: what is saved, what is told, what a second run does."""

import json
import os
import shutil
import signal

import pytest

from farm_ray.configuration import replace
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import CheckpointError, ClusterError, ConfigError, FarmRayError
from farm_ray.experiment import run_experiment
from farm_ray.experiment.config import read_experiment
from farm_ray.infer import Inferencer
from pipelines.text_classification import text_classification
from tests.raised import raised


@pytest.fixture
def experiment(tiny_folder, tmp_path):
    rows = "".join(f"a {word} film {number}\t{word}\n" for number in range(20) for word in ("good", "bad"))
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + rows)
    made = text_classification()
    settings = {
        "processor.data_dir": str(tmp_path),
        "processor.label_list": ["good", "bad"],
        "processor.max_seq_len": 16,
        "model.language_model": str(tiny_folder),
        "train.epochs": 1,
    }
    for name, value in settings.items():
        made = replace(made, name, value)
    return made


def run(experiment, folder, **options):
    return run_experiment(experiment, output_dir=folder, num_workers=0, **options)


def test_the_folder_holds_model_experiment_and_numbers(experiment, tmp_path):
    result = run(experiment, tmp_path / "out")
    model = tmp_path / "out" / "model"
    assert result.model_dir == str(model)
    assert read_experiment(model / "experiment.yaml") == experiment
    facts = json.loads((model / "metrics.json").read_text())
    assert facts["order_hash"] == result.order_hash
    assert len(facts["losses"]) == result.steps
    predictions = Inferencer.load(model).inference_from_dicts([{"text": "a good film"}])
    assert predictions[0]["predictions"][0]["label"] in {"good", "bad"}


def test_the_experiments_own_output_folder_is_used(experiment, tmp_path):
    own = replace(experiment, "output_dir", str(tmp_path / "own"))
    assert run(own, None).model_dir == str(tmp_path / "own" / "model")
    assert read_experiment(tmp_path / "own" / "model" / "experiment.yaml") == experiment
    assert run(own, tmp_path / "given").model_dir == str(tmp_path / "given" / "model")


@pytest.mark.parametrize("given", [{"general": {}}, "farm.json", None])
def test_what_is_no_experiment_is_refused_with_a_hint(given):
    with pytest.raises(ConfigError, match="not an Experiment; load_experiments"):
        run_experiment(given)


def test_fresh_weights_come_from_the_seed(experiment, tmp_path):
    losses = [
        json.loads((tmp_path / name / "model" / "metrics.json").read_text())["losses"]
        for name in ("one", "two")
        if run(experiment, tmp_path / name)
    ]
    assert losses[0] == losses[1]
    run(replace(experiment, "seed", 7), tmp_path / "three")
    assert json.loads((tmp_path / "three" / "model" / "metrics.json").read_text())["losses"] != losses[0]


def test_a_run_that_was_stopped_and_went_on_saves_the_numbers_of_the_whole(experiment, tmp_path):
    def terminate(stage, done, _total, _note):
        if stage == "train" and done == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    experiment = replace(experiment, "train.epochs", 2)
    run(experiment, tmp_path / "whole")
    assert run(experiment, tmp_path / "broken", progress=terminate).status == "preempted"
    run(experiment, tmp_path / "broken")
    whole, broken = (
        json.loads((tmp_path / name / "model" / "metrics.json").read_text()) for name in ("whole", "broken")
    )
    assert len(whole["losses"]) == whole["steps"] > 2
    for name in ("losses", "steps", "rows", "order_hash", "metrics"):
        assert broken[name] == whole[name]


def test_a_step_without_a_loss_is_null_in_the_numbers(experiment, tmp_path, monkeypatch):
    from farm_ray.train.step_log import StepLog

    add = StepLog.add
    monkeypatch.setattr(StepLog, "add", lambda log, _loss, rate: add(log, float("nan"), rate))
    result = run(experiment, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "model" / "metrics.json").read_text())["losses"] == [None] * result.steps


def test_the_tracker_that_is_named_hears_of_the_run(experiment, tmp_path, capsys):
    run(replace(replace(experiment, "train.tracker", "stdout"), "train.log_loss_every", 1), tmp_path / "out")
    told = capsys.readouterr().err
    assert "parameters: epochs=1" in told
    assert "Train_loss_total=" in told
    assert "dev_acc_text_classification=" in told
    assert f"artifacts: {tmp_path / 'out' / 'model'}" in told


def test_another_run_does_not_go_into_the_same_folder(experiment, tmp_path):
    run(experiment, tmp_path / "out")
    with raised(ConfigError, "folder-of-other-run", differing=["train.epochs"]):
        run(replace(experiment, "train.epochs", 2), tmp_path / "out")


def test_dropout_off_is_saved_with_the_model(experiment, tmp_path):
    run(replace(experiment, "model.dropout", 0.0), tmp_path / "out")
    config = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    assert config["hidden_dropout_prob"] == config["attention_probs_dropout_prob"] == 0.0


def test_a_checkpoint_that_is_not_there_is_missed_at_once(experiment, tmp_path):
    with raised(CheckpointError, "no-such-checkpoint"):
        run_experiment(experiment, output_dir=tmp_path / "out", num_workers=0, resume=str(tmp_path / "nowhere"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["out/checkpoints", "elsewhere"])
def test_checkpoints_that_have_gone_are_missed(experiment, tmp_path, place):
    """A disk that is not mounted looks empty: the run has been further than its beginning."""
    root = tmp_path / place
    made = replace(replace(experiment, "train.checkpoint_every", 1), "train.checkpoint_root_dir", str(root))
    run(made, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "model")
    root.rename(tmp_path / "away")
    with pytest.raises(CheckpointError, match=r"has written the checkpoint epoch_0_step_\d+ in .*--resume never"):
        run(made, tmp_path / "out")
    (tmp_path / "away").rename(root)
    assert run(made, tmp_path / "out").resumed_from_step > 0
    shutil.rmtree(tmp_path / "out" / "model")
    shutil.rmtree(root)
    assert run(made, tmp_path / "out", resume="never").resumed_from_step == 0


def test_problems_of_an_earlier_attempt_do_not_stay(experiment, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "problems.parquet").write_bytes(b"old")
    run(experiment, tmp_path / "out")
    assert not (tmp_path / "out" / "problems.parquet").exists()


def test_latest_is_the_word_for_auto(experiment, tmp_path):
    run(experiment, tmp_path / "out", resume="latest")
    assert (tmp_path / "out" / "model").exists()


@pytest.mark.parametrize(
    ("settings", "options", "told"),
    [
        ({"train.use_amp": "bf61"}, {}, "bf61"),
        ({"train.use_amp": "fp16"}, {}, "needs a GPU"),
        ({}, {"use_gpu": True}, "no GPU"),
        ({"train.early_stopping": {"metric": "f2"}}, {}, "f2"),
        ({"processor.test_filename": "mine.tsv"}, {}, "mine.tsv"),
    ],
)
def test_found_before_any_work(experiment, tmp_path, monkeypatch, settings, options, told):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(DataSilo, "_accept", lambda *_: pytest.fail("data was read"))
    for name, value in settings.items():
        experiment = replace(experiment, name, value)
    with pytest.raises(FarmRayError, match=told):
        run(experiment, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_local_ray_without_gpus_is_refused_before_any_work(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr("farm_ray.cluster.connect", lambda _address: None)
    monkeypatch.setattr("farm_ray.cluster.is_local", lambda: True)
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 2.0})
    monkeypatch.setattr(DataSilo, "_accept", lambda *_: pytest.fail("data was read"))
    with raised(ClusterError, "too-few-gpus", value=0):
        run_experiment(experiment, output_dir=tmp_path / "out", num_workers=2, use_gpu=True)
    assert not (tmp_path / "out").exists()

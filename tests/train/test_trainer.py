"""The trainer: what it reports, early stopping, signals, its own optimizer, clear refusals."""

import dataclasses
import math
import os
import signal

import numpy as np
import pyarrow as pa
import pytest
import torch

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.infer import Inferencer
from farm_ray.modeling.optimization import initialize_optimizer
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.train import EarlyStopping, Trainer
from tests.raised import raised
from tests.runs import labelled_dicts, small_model, small_run, small_silo, small_trainer


class Recorder:
    """A tracker that remembers."""

    def __init__(self):
        self.params, self.metrics = {}, []

    def log_params(self, params):
        self.params |= params

    def log_metrics(self, metrics, step):
        self.metrics.append((step, metrics))


def test_learns_and_reports(tiny_folder):
    silo = small_silo(tiny_folder, test_dicts=labelled_dicts(9))
    heard, tracker = [], Recorder()
    trainer = small_trainer(
        tiny_folder,
        silo=silo,
        epochs=6,
        grad_acc_steps=1,
        learning_rate=3e-3,
        evaluate_every=4,
        log_loss_every=2,
        log_learning_rate=True,
        progress=lambda *news: heard.append(news),
        tracker=tracker,
    )
    model = trainer.train()
    result = trainer.result
    assert not model.training
    assert np.mean(result.losses[-3:]) < np.mean(result.losses[:3])
    assert result.steps == len(result.losses) == 6 * 6
    assert result.dev[0].keys() >= {"task_name", "loss", "acc", "report"}
    assert trainer.test_result == result.test
    assert len(result.test) == 1
    assert result.seconds.keys() == {"train", "data", "first_batch", "eval", "checkpoint"}
    assert ("train", 36, 36) in [news[:3] for news in heard]
    assert tracker.params["learning_rate"] == 3e-3
    logged = {name for _, metrics in tracker.metrics for name in metrics}
    assert {"Train_loss_total", "learning_rate", "dev_acc_text_classification"} <= logged


def test_the_schedule_counts_real_steps(tiny_folder):
    result, _ = small_run(tiny_folder, epochs=2, grad_acc_steps=4)
    assert result.steps == 2 * 2
    assert result.learning_rates[-1] == pytest.approx(0.0)


def test_dropout_is_on_again_after_an_evaluation(tiny_folder):
    with_evaluations, _ = small_run(tiny_folder, dropout=0.3, evaluate_every=1)
    without, _ = small_run(tiny_folder, dropout=0.3)
    assert with_evaluations.losses == without.losses


def test_early_stopping_puts_the_best_weights_back(tiny_folder, tmp_path):
    stopping = EarlyStopping(metric="loss", mode="min", patience=1, min_delta=0.0, save_dir=tmp_path / "best")
    trainer = small_trainer(
        tiny_folder,
        epochs=30,
        learning_rate=0.05,
        evaluate_every=1,
        early_stopping=stopping,
        schedule_opts={"name": "Constant"},
    )
    trainer.train()
    assert trainer.result.steps < 90
    assert trainer.result.dev[0]["loss"] == pytest.approx(min(stopping.eval_values), abs=1e-5)
    prediction = Inferencer.load(tmp_path / "best").inference_from_dicts([{"text": "a good film"}])
    assert prediction[0]["predictions"][0]["label"] in {"good", "bad", "dull"}


def test_early_stopping_is_an_object_that_checks(tiny_folder):
    with raised(ConfigError, "invalid-value", option="early_stopping", value="loss"):
        small_trainer(tiny_folder, early_stopping="loss")


def test_sigterm_ends_with_a_checkpoint_to_go_on_from(tiny_folder, tmp_path):
    unbroken, weights = small_run(tiny_folder, dropout=0.1)

    def kill(stage, done, _total, _note):
        if stage == "train" and done == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    broken = small_trainer(tiny_folder, dropout=0.1, checkpoint_root_dir=tmp_path, progress=kill)
    broken.train()
    assert broken.result.preempted
    assert broken.result.steps == 3
    assert broken.result.checkpoint == str(tmp_path / "epoch_0_step_2")
    assert signal.getsignal(signal.SIGTERM) == before
    resumed, theirs = small_run(tiny_folder, dropout=0.1, checkpoint_root_dir=tmp_path)
    assert resumed.order_hash == unbroken.order_hash
    assert all(torch.equal(weights[name], theirs[name]) for name in weights)


def test_own_optimizer(tiny_folder):
    silo, model = small_silo(tiny_folder), small_model(tiny_folder)
    model, optimizer, schedule = initialize_optimizer(
        model, n_batches=len(silo.get_data_loader("train")), n_epochs=1, device="cpu", learning_rate=1e-3
    )
    Trainer(model, optimizer, silo, 1, lr_schedule=schedule, evaluate_every=0).train()
    assert schedule.last_epoch == len(silo.get_data_loader("train"))
    with raised(ConfigError, "own-optimizer-stays-here", option="optimizer"):
        Trainer(model, optimizer, silo, 1, num_workers=2)


def test_farms_arguments_say_where_to_train(tiny_folder, monkeypatch):
    """They were ignored once: a script for a GPU trained on the CPU."""
    silo = small_silo(tiny_folder)
    for said in ({"device": "cuda"}, {"n_gpu": 1}, {"use_gpu": True}):
        with raised(ConfigError, "no-gpu-here"):
            small_trainer(tiny_folder, silo=silo, **said).train()
        assert small_trainer(tiny_folder, silo=silo, num_workers=1, **said).use_gpu
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert small_trainer(tiny_folder, silo=silo, device="cuda:1", n_gpu=1).device == torch.device("cuda", 1)
    with pytest.raises(ConfigError, match="give num_workers=2"):
        small_trainer(tiny_folder, silo=silo, device="cuda", n_gpu=2)
    assert not small_trainer(tiny_folder, silo=silo, device="cpu", n_gpu=0).use_gpu


def test_ids_without_an_embedding_stop_a_training_at_its_start(tiny_folder):
    """Features of a user's own may hold any id; on a GPU it would be a device-side assert in some later step."""
    trainer = small_trainer(tiny_folder)
    train = trainer.data_silo.data["train"]
    place = train.table.column_names.index("input_ids")
    ids = train.table.column("input_ids").to_pylist()
    ids[3][1] = 10**6
    table = train.table.set_column(place, "input_ids", pa.array(ids, train.table.schema.field("input_ids").type))
    trainer.data_silo.data["train"] = dataclasses.replace(train, table=table, blocks=(), _columns={})
    with raised(DataProblemError, "id-outside-embeddings", value="1000000"):
        trainer.train()
    assert trainer.result.steps == 0


def test_a_batch_that_does_not_fit_into_memory_is_told_in_one_line(tiny_folder, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total of ...")

    trainer = small_trainer(tiny_folder)
    monkeypatch.setattr(type(trainer.model), "forward", full)
    with raised(ConfigError, "out-of-memory"):
        trainer.train()


def test_a_head_without_a_task_is_refused(tiny_folder):
    silo = small_silo(tiny_folder)
    model = small_model(tiny_folder, heads=2)
    model.prediction_heads[1].task_name = "another"
    trainer = Trainer(model=model, data_silo=silo, epochs=1)
    with raised(ConfigError, "unknown-task", value="another"):
        trainer.train()


def test_a_loss_that_is_no_number_ends_the_run(tiny_folder):
    with raised(DataProblemError, "loss-not-finite"):
        small_run(tiny_folder, learning_rate=1e30, max_grad_norm=None, optimizer_opts={"name": "SGD"}, epochs=9)


def without_a_loss_at(steps, trainer):
    """The trainer, with a model whose loss is no number in these steps (from 0)."""
    model = trainer.model
    usual = type(model).logits_to_loss

    def logits_to_loss(logits, global_step=None, **batch):
        losses = usual(model, logits, global_step=global_step, **batch)
        return losses * math.nan if global_step in steps else losses

    model.logits_to_loss = logits_to_loss
    return trainer


def are_numbers(model):
    return all(torch.isfinite(parameter).all() for parameter in model.parameters())


@pytest.fixture
def _fp16(monkeypatch):
    """The scaler of fp16 on this processor, with bfloat16 products."""

    def resolve(_use_amp, _device):
        return Precision("fp16", torch.bfloat16, "cpu", torch.amp.GradScaler("cpu"))

    monkeypatch.setattr(Precision, "resolve", resolve)


@pytest.mark.filterwarnings("ignore:.*only emulates bfloat16")
@pytest.mark.parametrize("use_amp", [None, "bf16"])
def test_without_a_scaler_the_first_loss_that_is_no_number_ends_the_run(tiny_folder, use_amp):
    trainer = without_a_loss_at({2}, small_trainer(tiny_folder, use_amp=use_amp))
    with pytest.raises(DataProblemError, match=r"the loss became nan at step 3 \(rows .*a smaller learning_rate"):
        trainer.train()


@pytest.mark.usefixtures("_fp16")
def test_fp16_gives_up_when_no_step_in_a_row_has_a_loss(tiny_folder):
    trainer = without_a_loss_at(range(2, 999), small_trainer(tiny_folder, epochs=99))
    with pytest.raises(DataProblemError, match=r"in 26 steps in a row.*step 28 with a loss of nan.*use_amp=\"bf16\""):
        trainer.train()
    assert are_numbers(trainer.model)


@pytest.mark.usefixtures("_fp16")
def test_fp16_leaves_out_a_few_steps_and_goes_on(tiny_folder):
    trainer = without_a_loss_at({1, 2, 5}, small_trainer(tiny_folder, epochs=3))
    assert are_numbers(trainer.train())
    result = trainer.result
    assert [step for step, loss in enumerate(result.losses) if math.isnan(loss)] == [1, 2, 5]
    rates = result.learning_rates
    assert [step for step in range(1, 9) if rates[step] == rates[step - 1]] == [1, 2, 5]
    assert trainer.result.steps == 9


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lr_schedule": object()}, "lr_schedule has no effect without its optimizer"),
        ({"optimizer": object(), "learning_rate": 1e-3}, "learning_rate has no effect on an optimizer of your own"),
        ({"optimizer": object(), "schedule_opts": {"name": "LinearWarmup"}}, "schedule_opts has no effect"),
        ({"optimizer": object(), "optimizer_opts": {"name": "AdamW"}}, "optimizer_opts has no effect"),
    ],
)
def test_what_an_own_optimizer_leaves_without_effect(tiny_folder, options, told):
    with pytest.raises(ConfigError, match=told):
        Trainer(model=None, data_silo=small_silo(tiny_folder), epochs=1, **options)

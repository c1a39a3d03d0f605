"""Model, optimizer and schedule in one call."""

import copy

import pytest
import torch
from torch import nn

from farm_ray.errors import ConfigError
from farm_ray.modeling.optimization import (
    TransformersAdamW,
    WrappedDataParallel,
    WrappedDDP,
    initialize_optimizer,
    optimize_model,
)


class Untouchable:
    """Any use of it fails."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_default_is_transformers_adamw_and_linear_warmup_over_the_real_steps():
    model, optimizer, scheduler = initialize_optimizer(
        nn.Linear(2, 2), n_batches=25, n_epochs=2, device="cpu", learning_rate=1.0, grad_acc_steps=10
    )
    assert isinstance(model, nn.Linear)
    assert isinstance(optimizer, TransformersAdamW)
    assert scheduler.opts == {"name": "LinearWarmup", "num_warmup_steps": pytest.approx(0.6), "num_training_steps": 6}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    for _ in range(6):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.0


def test_given_dicts_can_be_used_again():
    optimizer_opts = {"name": "SGD", "momentum": 0.9, "no_decay": ["bias"]}
    schedule_opts = {"name": "CosineWarmup", "warmup_proportion": 0.5}
    before = copy.deepcopy((optimizer_opts, schedule_opts))
    for _ in range(2):
        _, optimizer, scheduler = initialize_optimizer(
            nn.Linear(2, 2), 10, 1, "cpu", 0.1, optimizer_opts=optimizer_opts, schedule_opts=schedule_opts
        )
        assert len(optimizer.param_groups) == 2
        assert scheduler.opts["num_warmup_steps"] == 5
    assert (optimizer_opts, schedule_opts) == before


@pytest.mark.parametrize("wrong", [{"schedule_opts": []}, {"optimizer_opts": "SGD"}])
def test_options_that_are_no_dict_fail_before_the_model_is_touched(wrong):
    with pytest.raises(TypeError, match="must be a dict"):
        initialize_optimizer(None, 1, 1, "cpu", 0.4e-5, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule_opts": {"name": "Nope"}},
        {"optimizer_opts": {"name": "Nope"}},
        {"grad_acc_steps": 0},
        {"use_amp": "O7"},
    ],
)
def test_mistakes_are_found_before_the_model_is_touched(wrong):
    with pytest.raises(ConfigError):
        initialize_optimizer(Untouchable(), 1, 1, "cpu", 0.4e-5, **wrong)


def test_unknown_argument_names_the_nearest():
    with pytest.raises(TypeError, match='did you mean "grad_acc_steps"'):
        initialize_optimizer(nn.Linear(2, 2), 1, 1, "cpu", 0.1, grad_acc_step=2)


def test_distributed_wraps_where_a_process_group_is_there(tmp_path):
    with pytest.warns(UserWarning, match="without a process group"):
        alone, _ = optimize_model(nn.Linear(2, 2), "cpu", distributed=True)
    assert isinstance(alone, nn.Linear)
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        model, optimizer, _ = initialize_optimizer(nn.Linear(2, 2), 1, 1, "cpu", 0.1, distributed=True)
        assert isinstance(model, WrappedDDP)
        assert optimizer.param_groups[0]["params"][0] is model.module.weight
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize(("device", "gpus", "wrapped"), [("cuda", 2, True), ("cuda", 1, False), ("cuda:0", 2, False)])
def test_several_visible_gpus_share_the_batch(monkeypatch, device, gpus, wrapped):
    monkeypatch.setattr(nn.Module, "to", lambda self, device: self)
    # DataParallel would ask a GPU that is only said to be there.
    monkeypatch.setattr("farm_ray.modeling.optimization.initialize.checked_device", torch.device)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    model, optimizer = optimize_model(nn.Linear(2, 2), device)
    assert isinstance(model, WrappedDataParallel) is wrapped
    assert optimizer is None

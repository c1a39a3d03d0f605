"""Schedules by name: learning rates step by step, options checked, dicts left alone."""

import pytest
import torch
from torch import nn

from farm_ray.errors import ConfigError
from farm_ray.modeling.optimization.schedules import calculate_optimization_steps, get_scheduler, optimizer_steps


def optimizer(kind=torch.optim.SGD):
    return kind([nn.Parameter(torch.ones(1))], lr=1.0)


def rates(opts, steps):
    stepped = optimizer()
    scheduler = get_scheduler(stepped, opts)
    seen = []
    for _ in range(steps):
        seen.append(stepped.param_groups[0]["lr"])
        stepped.step()
        scheduler.step()
    return [*seen, stepped.param_groups[0]["lr"]]


@pytest.mark.parametrize(
    ("n_batches", "grad_acc_steps", "n_epochs", "steps"), [(10, 1, 2, 20), (10, 4, 2, 6), (3, 8, 5, 5), (0, 2, 3, 0)]
)
def test_every_epochs_last_group_makes_a_step(n_batches, grad_acc_steps, n_epochs, steps):
    assert optimizer_steps(n_batches, grad_acc_steps, n_epochs) == steps
    assert calculate_optimization_steps(n_batches, grad_acc_steps, n_epochs, local_rank=3) == steps


@pytest.mark.parametrize("wrong", [(10, 0, 1), (-1, 1, 1), (1, 1, -1)])
def test_counts_out_of_range(wrong):
    with pytest.raises(ConfigError):
        optimizer_steps(*wrong)


def test_linear_warmup_rises_and_falls_to_zero_at_the_last_step():
    opts = {"name": "LinearWarmup", "num_warmup_steps": 2, "num_training_steps": 6}
    assert rates(opts, 6) == pytest.approx([0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0])


def test_warmup_proportion_and_the_default_of_ten_percent():
    assert rates({"name": "LinearWarmup", "warmup_proportion": 0.25, "num_training_steps": 8}, 2)[1:] == [0.5, 1.0]
    assert rates({"name": "LinearWarmup", "num_training_steps": 20}, 2) == [0.0, 0.5, 1.0]
    both = {"warmup_proportion": 0.5, "num_warmup_steps": 1, "num_training_steps": 8}
    assert rates(both, 1) == [0.0, 1.0]


@pytest.mark.parametrize(
    "name",
    [
        "Constant",
        "ConstantWarmup",
        "CosineWarmup",
        "CosineWarmupWithRestarts",
        "get_polynomial_decay_schedule_with_warmup",
        "OneCycleLR",
        "CosineAnnealingLR",
    ],
)
def test_names_that_need_nothing_but_the_number_of_steps(name):
    opts = {"name": name, "num_training_steps": 10, "warmup_proportion": 0.2}
    if name == "OneCycleLR":
        opts |= {"max_lr": 1.0, "cycle_momentum": False}
    before = dict(opts)
    different = len(set(rates(opts, 10)))
    assert different == 1 if name == "Constant" else different > 2
    assert opts == before


def test_schedules_of_torch():
    assert rates({"name": "StepLR", "step_size": 2, "gamma": 0.1}, 3) == pytest.approx([1.0, 1.0, 0.1, 0.1])
    cyclic = {"name": "CyclicLR", "base_lr": 1e-5, "max_lr": 1e-4, "step_size_up": 100, "cycle_momentum": False}
    assert rates(cyclic, 100)[-1] == pytest.approx(1e-4)


def test_opts_of_the_scheduler_say_what_it_was_made_with():
    opts = {"name": "LinearWarmup", "warmup_proportion": 0.5, "num_training_steps": 8}
    scheduler = get_scheduler(optimizer(), opts)
    assert scheduler.opts == {"name": "LinearWarmup", "num_warmup_steps": 4, "num_training_steps": 8}


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        ({"name": "LinearWarmUp"}, 'unknown schedule "LinearWarmUp"; did you mean "LinearWarmup"'),
        ({"name": "StepLR", "step_sise": 3}, 'no option "step_sise"; did you mean "step_size"'),
        ({"name": "StepLR"}, "StepLR needs step_size"),
        ({"name": "LinearWarmup"}, "needs num_warmup_steps, num_training_steps"),
        ({"name": "LinearWarmup", "warmup_proportion": 20}, "share from 0 to 1, not 20"),
        ({"name": "LinearWarmup", "warmup_proportion": "a"}, "share from 0 to 1"),
        ({"name": "ReduceLROnPlateau"}, "needs a metric"),
        ({"name": "get_reduce_on_plateau_schedule"}, "needs a metric"),
        ({"name": "OneCycleLR", "max_lr": 1.0, "num_training_steps": 3}, "OneCycleLR: .*momentum"),
        ({"name": ["StepLR"]}, "unknown schedule"),
    ],
)
def test_mistakes_are_named(opts, message):
    plain = torch.optim.Adagrad([nn.Parameter(torch.ones(1))])
    with pytest.raises(ConfigError, match=message):
        get_scheduler(plain, opts)


def test_steps_and_warmup_are_left_out_where_a_schedule_has_none():
    opts = {"name": "StepLR", "step_size": 1, "num_training_steps": 9, "warmup_proportion": 0.1, "num_warmup_steps": 1}
    assert get_scheduler(optimizer(), opts).opts == {"name": "StepLR", "step_size": 1}


def test_options_must_be_a_dict():
    with pytest.raises(TypeError, match="schedule_opts must be a dict"):
        get_scheduler(optimizer(), [])


@pytest.mark.parametrize(
    "opts",
    [
        {"name": "LinearWarmup"},
        {"name": "CosineWarmup"},
        {"name": "get_polynomial_decay_schedule_with_warmup"},
        {"name": "OneCycleLR", "max_lr": 2.0},
        {"name": "CyclicLR", "base_lr": 0.5, "max_lr": 2.0, "step_size_up": 2, "cycle_momentum": False},
        {"name": "StepLR", "step_size": 2, "gamma": 0.1},
    ],
)
def test_groups_keep_the_ratio_of_their_rates(opts):
    groups = [{"params": [nn.Parameter(torch.ones(1))], "lr": lr} for lr in (1.0, 0.25, 3.0)]
    stepped = torch.optim.SGD(groups, lr=1.0, momentum=0.9)
    given = dict(opts)
    scheduler = get_scheduler(stepped, opts | {"num_training_steps": 8})
    for _ in range(7):
        stepped.step()
        scheduler.step()
        first, *others = [group["lr"] for group in stepped.param_groups]
        assert first > 0
        assert others == pytest.approx([first * 0.25, first * 3])
    assert opts == given


@pytest.mark.parametrize(("base_lr", "first"), [(0.1, 0.5), ([0.3], 0.3)])
def test_a_rate_of_a_schedule_is_for_the_optimizer_s_own_rate(base_lr, first):
    """Heads alone, with a rate of their own; a list is meant as it stands."""
    stepped = torch.optim.SGD([{"params": [nn.Parameter(torch.ones(1))], "lr": 0.5}], lr=0.1)
    get_scheduler(stepped, {"name": "CyclicLR", "base_lr": base_lr, "max_lr": 9.0, "cycle_momentum": False})
    assert stepped.param_groups[0]["lr"] == pytest.approx(first)

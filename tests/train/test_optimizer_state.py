"""States that optimizers wrote fit them, whatever their kind."""

import copy

import pytest
import torch

from farm_ray.modeling.optimization.optimizers import TransformersAdamW
from farm_ray.train.optimizer_state import check_optimizer_state, check_scheduler_state

KINDS = {
    "transformers": lambda weights: TransformersAdamW(weights, lr=1e-3),
    "adamw": lambda weights: torch.optim.AdamW(weights, amsgrad=True, fused=True),
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1),
    "momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, nesterov=True),
    "nadam": torch.optim.NAdam,
    "adafactor": torch.optim.Adafactor,
    "adadelta": torch.optim.Adadelta,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, centered=True),
    "lbfgs": torch.optim.LBFGS,
}


def optimizer_of(kind):
    weights = [
        torch.nn.Parameter(torch.ones(3, 2)),
        torch.nn.Parameter(torch.ones(2)),
        torch.nn.Parameter(torch.ones(1)),
    ]
    return KINDS[kind](weights)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.filterwarnings("ignore")
def test_an_own_state_fits(kind, steps):
    optimizer = optimizer_of(kind)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer)
    for _ in range(steps):
        # The last weight gets no gradient, and so no state.
        for weight in optimizer.param_groups[0]["params"][:2]:
            weight.grad = torch.ones_like(weight)
        optimizer.step(lambda: torch.tensor(1.0))
        schedule.step()
    fresh = optimizer_of(kind)
    torch.optim.lr_scheduler.LinearLR(fresh)
    check_optimizer_state(fresh, copy.deepcopy(optimizer.state_dict()))


SCHEDULERS = {
    "lambda": lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 1)),
    "plateau": torch.optim.lr_scheduler.ReduceLROnPlateau,
    "one cycle": lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10),
    "cyclic": lambda optimizer: torch.optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.2),
    "milestones": lambda optimizer: torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 4]),
    "warm restarts": lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3),
    "sequence": lambda optimizer: torch.optim.lr_scheduler.SequentialLR(
        optimizer, [torch.optim.lr_scheduler.ConstantLR(optimizer), torch.optim.lr_scheduler.LinearLR(optimizer)], [2]
    ),
    "chain": lambda optimizer: torch.optim.lr_scheduler.ChainedScheduler(
        [torch.optim.lr_scheduler.ConstantLR(optimizer), torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]
    ),
}


@pytest.mark.parametrize("kind", SCHEDULERS)
@pytest.mark.filterwarnings("ignore")
def test_a_schedulers_own_state_fits_and_one_with_more_does_not(kind):
    optimizer = optimizer_of("momentum")
    schedule = SCHEDULERS[kind](optimizer)
    for _ in range(3):
        optimizer.step()
        schedule.step(*([0.5] if kind == "plateau" else []))
    fresh = SCHEDULERS[kind](optimizer_of("momentum"))
    state = copy.deepcopy(schedule.state_dict())
    check_scheduler_state(fresh, state)
    with pytest.raises(ValueError, match="entries are others"):
        check_scheduler_state(fresh, state | {"step": 5})
    if "last_epoch" in state:
        with pytest.raises(ValueError, match="last_epoch is 'x'"):
            check_scheduler_state(fresh, state | {"last_epoch": "x"})

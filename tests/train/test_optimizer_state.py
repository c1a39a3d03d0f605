"""States that optimizers wrote fit them, whatever their kind."""

import copy

import pytest
import torch

from farm_ray.modeling.optimization.optimizers import TransformersAdamW
from farm_ray.train.optimizer_state import check_optimizer_state

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

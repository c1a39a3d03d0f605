"""TransformersAdamW against its formula, and optimizers by name."""

import copy
import math

import pytest
import torch
from torch import nn

from farm_ray.errors import ConfigError
from farm_ray.modeling.optimization import TransformersAdamW, create_optimizer
from tests.raised import raised

GRADIENTS = ([0.5, -2.0, 1e-7], [0.25, 1.0, 0.0], [-1.0, 0.5, 3e-7])


def reference(weights, *, lr, wd, correct_bias, eps=1e-6):
    """The update written out number by number."""
    values = list(weights)
    m, v = [0.0] * len(values), [0.0] * len(values)
    for step, gradient in enumerate(GRADIENTS, start=1):
        rate = lr * math.sqrt(1 - 0.999**step) / (1 - 0.9**step) if correct_bias else lr
        for i, g in enumerate(gradient):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g * g
            values[i] -= rate * m[i] / (math.sqrt(v[i]) + eps)
            values[i] -= lr * wd * values[i]
    return values


def run(optimizer, param, gradients=GRADIENTS):
    for gradient in gradients:
        param.grad = torch.tensor(gradient, dtype=param.dtype)
        optimizer.step()
    return param.tolist()


def parameter(dtype=torch.float64):
    return nn.Parameter(torch.tensor([1.0, -3.0, 0.5], dtype=dtype))


@pytest.mark.parametrize("correct_bias", [False, True])
@pytest.mark.parametrize("wd", [0.0, 0.5])
def test_three_steps_match_the_formula(wd, correct_bias):
    param = parameter()
    optimizer = TransformersAdamW([param], lr=0.1, weight_decay=wd, correct_bias=correct_bias)
    expected = reference([1.0, -3.0, 0.5], lr=0.1, wd=wd, correct_bias=correct_bias)
    assert run(optimizer, param) == pytest.approx(expected, rel=1e-12)


def test_the_first_step_is_larger_without_bias_correction():
    """By 0.1 / sqrt(0.001): what BERT's recipe lives with."""
    param = parameter()
    run(TransformersAdamW([param], lr=0.1), param, GRADIENTS[:1])
    assert param[0].item() == pytest.approx(1.0 - 0.1 * 0.1 / math.sqrt(0.001), rel=1e-4)


def test_state_dict_round_trip_goes_on_bit_for_bit():
    whole, parts = parameter(torch.float32), parameter(torch.float32)
    run(TransformersAdamW([whole], lr=0.1, weight_decay=0.01, correct_bias=True), whole)
    first = TransformersAdamW([parts], lr=0.1, weight_decay=0.01, correct_bias=True)
    run(first, parts, GRADIENTS[:1])
    second = TransformersAdamW([parts], lr=9.0)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    run(second, parts, GRADIENTS[1:])
    assert torch.equal(whole, parts)


def test_parameters_without_gradient_and_of_several_formats_are_stepped_apart():
    late, half, none = parameter(), nn.Parameter(torch.ones(3, dtype=torch.bfloat16)), parameter()
    other = parameter()
    optimizer = TransformersAdamW([late, half, none, other], lr=0.1, correct_bias=True)
    run(optimizer, other, GRADIENTS[:1])
    half.grad = torch.ones(3, dtype=torch.bfloat16)
    run(optimizer, late)
    assert late.tolist() == pytest.approx(reference([1.0, -3.0, 0.5], lr=0.1, wd=0.0, correct_bias=True), rel=1e-12)
    assert half[0].item() < 1.0
    assert none.tolist() == [1.0, -3.0, 0.5]
    assert none not in optimizer.state


def test_closure_is_called_with_gradients_on():
    param = parameter()
    optimizer = TransformersAdamW([param], lr=0.1)

    def closure():
        loss = (param**2).sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == pytest.approx(10.25)
    assert param[0].item() < 1.0


@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"betas": (1.0, 0.9)}, {"betas": (0.9,)}, {"weight_decay": -0.1}])
def test_values_out_of_range(wrong):
    with pytest.raises(ConfigError):
        TransformersAdamW([parameter()], **wrong)


def test_decay_that_would_overshoot_and_sparse_gradients_are_refused():
    param = parameter()
    with raised(ConfigError, "invalid-value", option="weight_decay", value=0.5):
        run(TransformersAdamW([param], lr=2.0, weight_decay=0.5), param)
    table = nn.Embedding(3, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with raised(ConfigError, "sparse-gradients"):
        TransformersAdamW(table.parameters()).step()


def test_unknown_argument_names_the_nearest():
    with pytest.raises(TypeError, match='did you mean "weight_decay"'):
        TransformersAdamW([parameter()], weigth_decay=0.1)


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))


def test_default_is_farms():
    optimizer = create_optimizer(model(), 1e-3)
    (group,) = optimizer.param_groups
    assert isinstance(optimizer, TransformersAdamW)
    assert (group["lr"], group["weight_decay"], group["correct_bias"]) == (1e-3, 0.01, False)
    assert len(group["params"]) == 4


def test_options_without_name_change_the_default():
    (group,) = create_optimizer(model(), 1e-3, {"weight_decay": 0.1}).param_groups
    assert (group["weight_decay"], group["correct_bias"]) == (0.1, False)


@pytest.mark.parametrize("opts", [{"name": "SGD", "momentum": 0.0}, {"name": "AdamW"}, {"name": "Adafactor"}])
def test_optimizers_of_torch(opts):
    before = dict(opts)
    optimizer = create_optimizer(model(), 0.5, opts)
    assert type(optimizer) is getattr(torch.optim, opts["name"])
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert opts == before


def test_torchs_adamw_uses_the_fused_kernel_unless_told_otherwise():
    assert create_optimizer(model(), 1e-3, {"name": "AdamW"}).param_groups[0]["fused"] is True
    assert create_optimizer(model(), 1e-3, {"name": "AdamW", "foreach": True}).param_groups[0]["fused"] is None


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        ({"name": ["AdamW"]}, "unknown optimizer"),
        ({"name": "FusedLAMB", "bias_correction": True}, "apex.*TransformersAdamW"),
        ({"name": "AdmaW"}, 'did you mean "AdamW"'),
        ({"name": "LBFGS"}, "several times per step"),
        ({"name": "SGD", "momentun": 0.9}, 'no option "momentun"; did you mean "momentum"'),
        ({"name": "SGD", "momentum": -1.0}, "SGD: Invalid momentum"),
        ({"name": "SGD", "no_decay": "bias"}, "no_decay must be a list"),
        ({"name": "Rprop", "no_decay": ["bias"]}, "no weight decay"),
        ({"layer_decy": 0.9}, 'no option "layer_decy"; did you mean "layer_decay"'),
        ({"layer_decay": 0.0}, "layer_decay must be a factor above 0 up to 1"),
        ({"layer_decay": 1.1}, "layer_decay must be a factor above 0 up to 1"),
        ({"head_lr": "1e-3"}, "head_lr must be a learning rate"),
        ({"head_lr": -1.0}, "head_lr must be a learning rate"),
    ],
)
def test_mistakes_are_named(opts, message):
    with pytest.raises(ConfigError, match=message):
        create_optimizer(model(), 1e-3, opts)


def test_lr_among_the_options_is_overruled_with_a_warning():
    with pytest.warns(UserWarning, match="learning_rate=0.25 counts"):
        optimizer = create_optimizer(model(), 0.25, {"name": "SGD", "lr": 0.5})
    assert optimizer.param_groups[0]["lr"] == 0.25

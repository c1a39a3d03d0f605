"""Which parameters train and which are spared the weight decay."""

import pytest
from torch import nn

from farm_ray.errors import ConfigError
from farm_ray.modeling.optimization.parameter_groups import parameter_groups


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(2, 2)
        self.LayerNorm = nn.LayerNorm(2)


def test_without_no_decay_everything_is_in_one_group():
    model = Small()
    (group,) = parameter_groups(model)
    assert [id(param) for param in group["params"]] == [id(param) for param in model.parameters()]
    assert "weight_decay" not in group


def test_no_decay_makes_a_second_group():
    model = Small()
    decayed, kept = parameter_groups(model, ["bias", "LayerNorm.weight"])
    assert [id(param) for param in decayed["params"]] == [id(model.dense.weight)]
    assert len(kept["params"]) == 3
    assert kept["weight_decay"] == 0.0


def test_frozen_parameters_are_left_out():
    model = Small()
    model.dense.requires_grad_(requires_grad=False)
    (group,) = parameter_groups(model, ["LayerNorm"])
    assert len(group["params"]) == 2
    model.requires_grad_(requires_grad=False)
    with pytest.raises(ConfigError, match="unfreeze"):
        parameter_groups(model)


def test_a_string_that_matches_nothing_is_told():
    with pytest.warns(UserWarning, match=r"contains 'layer_norm\.weight'"):
        assert len(parameter_groups(Small(), ["layer_norm.weight"])) == 1

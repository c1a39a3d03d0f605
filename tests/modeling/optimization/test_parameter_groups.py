"""Which parameters train and which are spared the weight decay."""

import pytest
from torch import nn

from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.optimization.optimizers import create_optimizer
from farm_ray.modeling.optimization.parameter_groups import parameter_groups
from farm_ray.modeling.prediction_head import TextClassificationHead
from tests.modeling.tiny_models import MODEL_TYPES, save_tiny_model
from tests.raised import raised


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
    with raised(ConfigError, "nothing-to-train"):
        parameter_groups(model)


def test_a_string_that_matches_nothing_is_told():
    with pytest.warns(UserWarning, match=r"contains 'layer_norm\.weight'"):
        assert len(parameter_groups(Small(), ["layer_norm.weight"])) == 1


def adaptive(folder, model_type="bert"):
    save_tiny_model(model_type, folder)
    head = TextClassificationHead(num_labels=2)
    return AdaptiveModel(LanguageModel.load(folder), [head], 0.1, "per_sequence", "cpu")


def rates(model, groups):
    """The learning rate of each parameter that trains, by name; and that no parameter is in two groups."""
    names = {id(param): name for name, param in model.named_parameters()}
    found = [(names[id(param)], group.get("lr")) for group in groups for param in group["params"]]
    assert len(found) == len(dict(found))
    return dict(found)


def test_each_layer_is_slower_than_the_one_above(tmp_path):
    model = adaptive(tmp_path)
    groups = parameter_groups(model, layer_decay=0.5, learning_rate=0.8)
    found = rates(model, groups)
    inside = "language_model.model."
    assert found[f"{inside}embeddings.word_embeddings.weight"] == pytest.approx(0.2)
    assert found[f"{inside}encoder.layer.0.output.dense.weight"] == pytest.approx(0.4)
    assert found[f"{inside}encoder.layer.1.output.dense.weight"] == 0.8
    assert found[f"{inside}pooler.dense.weight"] == 0.8
    assert found["prediction_heads.0.feed_forward.feed_forward.0.weight"] == 0.8
    assert found.keys() == {name for name, param in model.named_parameters() if param.requires_grad}
    assert [group["lr"] for group in groups] == pytest.approx([0.8, 0.4, 0.2, 0.8])


def test_heads_have_their_own_rate(tmp_path):
    model = adaptive(tmp_path)
    found = rates(model, parameter_groups(model, head_learning_rate=5.0, learning_rate=0.8))
    assert {name.partition(".")[0]: rate for name, rate in found.items()} == {
        "language_model": 0.8,
        "prediction_heads": 5.0,
    }
    both = rates(model, parameter_groups(model, layer_decay=0.5, head_learning_rate=5.0, learning_rate=0.8))
    assert sorted(set(both.values())) == pytest.approx([0.2, 0.4, 0.8, 5.0])


def test_rates_and_decay_together(tmp_path):
    groups = parameter_groups(adaptive(tmp_path), ["bias", "LayerNorm"], layer_decay=0.5)
    assert [group["lr"] for group in groups] == [1, 1, 0.5, 0.5, 0.25, 0.25, 1, 1]
    assert ["weight_decay" in group for group in groups] == [False, True] * 4


def test_frozen_layers_leave_their_groups(tmp_path):
    model = adaptive(tmp_path)
    model.language_model.freeze(layers=1)
    assert [group["lr"] for group in parameter_groups(model, layer_decay=0.5)] == [1, 1]
    model.language_model.freeze()
    (group,) = parameter_groups(model, layer_decay=0.5, head_learning_rate=2.0)
    assert group["lr"] == 2.0


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_every_type_of_encoder_has_layers_to_slow_down(model_type, tmp_path):
    model = adaptive(tmp_path, model_type)
    found = rates(model, parameter_groups(model, layer_decay=0.5))
    layers = 1 if model_type == "albert" else 2
    assert set(found.values()) == {0.5**depth for depth in range(layers + 1)}


def test_rates_need_a_language_model():
    with raised(ConfigError, "option-without-effect", option="layer_decay"):
        parameter_groups(Small(), head_learning_rate=1.0)


def test_an_optimizer_takes_them_from_its_options(tmp_path):
    opts = {"name": "SGD", "layer_decay": 0.5, "head_lr": 0.3}
    given = dict(opts)
    optimizer = create_optimizer(adaptive(tmp_path), 0.1, opts)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.05, 0.025, 0.3])
    assert optimizer.defaults["lr"] == 0.1
    assert opts == given

"""Forward, gradients, freezing."""

import pickle

import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model import LanguageModel
from tests.modeling.tiny_models import MODEL_TYPES, batch, save_tiny_model
from tests.raised import raised


@pytest.fixture
def bert(tmp_path):
    save_tiny_model("bert", tmp_path)
    return LanguageModel.load(tmp_path)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_every_weight_in_training_has_a_gradient(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path)
    model = LanguageModel.load(tmp_path).train()
    rows = batch(left=model_type == "xlnet")
    _, pooled = model(**rows)
    (pooled * torch.randn_like(pooled)).sum().backward()
    assert [name for name, weight in model.named_parameters() if weight.requires_grad and weight.grad is None] == []
    assert model.get_output_dims() == 32


@pytest.mark.parametrize("model_type", ["bert", "xlnet", "distilbert", "modernbert"])
def test_padding_does_not_count(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path)
    model = LanguageModel.load(tmp_path)
    left = model_type == "xlnet"
    rows = batch(left=left)
    alone = {name: tensor[1:, 2:] if left else tensor[1:, :4] for name, tensor in rows.items()}
    with torch.no_grad():
        torch.testing.assert_close(model(**rows)[1][1:], model(**alone)[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("model_type", "matters"), [("bert", True), ("xlnet", True), ("distilbert", False), ("roberta", False)]
)
def test_segments_reach_the_types_that_know_them(model_type, matters, tmp_path):
    save_tiny_model(model_type, tmp_path)
    model = LanguageModel.load(tmp_path)
    rows = batch()
    other = rows | {"segment_ids": torch.tensor([[0, 0, 0, 1, 1, 1]] * 2)}
    with torch.no_grad():
        assert torch.equal(model(**rows)[1], model(**other)[1]) != matters


def test_other_columns_of_a_batch_are_ignored(bert):
    rows = batch()
    with torch.no_grad():
        expected = bert(**rows)[1]
        assert torch.equal(bert(**rows, text_classification_label_ids=torch.zeros(2, 1))[1], expected)
        assert torch.equal(bert(**(rows | {"padding_mask": rows["padding_mask"].bool()}))[1], expected)


def trained(model):
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


def test_freeze_and_unfreeze_everything(bert):
    everything = trained(bert)
    bert.freeze()
    assert trained(bert) == set()
    bert.unfreeze()
    assert trained(bert) == everything


def test_freeze_from_below_and_unfreeze_from_above(bert):
    bert.freeze(layers=1)
    assert {name.split(".")[1] for name in trained(bert)} == {"encoder", "pooler"}
    assert not any("layer.0." in name for name in trained(bert))
    assert any("layer.1." in name for name in trained(bert))
    bert.freeze()
    bert.unfreeze(layers=1)
    assert {name.rsplit(".", 1)[0].split("layer.")[-1].split(".")[0] for name in trained(bert)} == {"1", "model"}
    assert any("pooler" in name for name in trained(bert))
    bert.unfreeze(layers=0)
    with pytest.raises(ConfigError, match="layers=3, but bert has 2 separate layers"):
        bert.freeze(layers=3)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_frozen_layers_get_no_gradient_and_those_above_do(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path)
    model = LanguageModel.load(tmp_path).train()
    model.freeze(layers=1)
    tokens, pooled = model(**batch(left=model_type == "xlnet"))
    if tokens.requires_grad or pooled.requires_grad:
        ((tokens * torch.randn_like(tokens)).sum() + (pooled * torch.randn_like(pooled)).sum()).backward()
    depths = model.depths()
    for name, weight in model.named_parameters():
        assert (weight.grad is None) == (not weight.requires_grad)
        assert weight.requires_grad == (depths[name] > 1), name


def test_weights_for_rows_that_nobody_reads_are_not_in_training(bert):
    everything = trained(bert)
    for_rows = {name for name in everything if "pooler" in name}
    bert.set_rows_are_read(False)
    assert everything - trained(bert) == for_rows != set()
    bert.unfreeze()
    assert not trained(bert) & for_rows
    bert.set_rows_are_read(True)
    assert trained(bert) == everything


def test_what_was_frozen_by_hand_stays_so_when_rows_are_read_again(bert):
    bert.freeze()
    bert.set_rows_are_read(False)
    bert.set_rows_are_read(True)
    assert trained(bert) == set()
    bert.unfreeze()
    bert.set_rows_are_read(False)
    bert.freeze()
    bert.set_rows_are_read(True)
    assert trained(bert) == set()


def test_it_can_be_pickled(bert):
    again = pickle.loads(pickle.dumps(bert))
    with torch.no_grad():
        assert torch.equal(again(**batch())[1], bert(**batch())[1])


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_dropout_can_be_set(model_type, tmp_path):
    """Off, training mode computes what eval mode does; on, it does not; saving keeps it."""
    save_tiny_model(model_type, tmp_path)
    model = LanguageModel.load(tmp_path)
    rows = batch(left=model_type == "xlnet")

    def tokens():
        with torch.no_grad():
            return model(**rows)[0]

    expected = tokens()
    model.set_dropout(0.4)
    assert not torch.allclose(model.train() and tokens(), expected)
    model.set_dropout(0.0)
    assert torch.equal(tokens(), expected)
    model.save(tmp_path / "saved")
    model = LanguageModel.load(tmp_path / "saved").train()
    assert torch.equal(tokens(), expected)
    with raised(ConfigError, "invalid-value", value=1.0, option="dropout"):
        model.set_dropout(1.0)

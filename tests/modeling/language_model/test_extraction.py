"""Vectors out of any layer: only real tokens count, and padding, batch and model type change nothing."""

import pickle

import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.language_model.extraction import STRATEGIES, Extraction, checked_extraction, vector_extractor
from tests.modeling.tiny_models import (
    MODEL_TYPES,
    WIDTH,
    batch,
    save_farm_language_model,
    save_tiny_classifier,
    save_tiny_model,
    transformers_inputs,
)
from tests.raised import raised


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    save_tiny_model("bert", folder)
    return LanguageModel.load(folder)


@torch.no_grad()
def vectors(model, rows, **how):
    found = vector_extractor(model, checked_extraction(model, Extraction(), **how))(**rows)
    return [torch.from_numpy(vector) for vector in found]


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@pytest.mark.parametrize("layer", [0, 1, 2, -1, -2, -3])
def test_layers_are_those_of_transformers(model_type, layer, tmp_path):
    model = save_tiny_model(model_type, tmp_path)
    rows = batch(left=model_type == "xlnet")
    with torch.no_grad():
        expected = model(**transformers_inputs(model, rows), output_hidden_states=True).hidden_states[layer]
    found = vectors(LanguageModel.load(tmp_path), rows, strategy="per_token", layer=layer)
    real = rows["padding_mask"].bool()
    for one, vectors_TH, real_T in zip(found, expected, real, strict=True):
        torch.testing.assert_close(one, vectors_TH[real_T], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("model_type", ["bert", "distilbert", "electra", "xlnet", "modernbert"])
def test_padding_is_not_pooled_in(model_type, strategy, tmp_path):
    save_tiny_classifier(model_type, tmp_path)
    model = LanguageModel.load(tmp_path)
    left = model_type == "xlnet"
    rows = batch(left=left)
    alone = {name: tensor[1:, 2:] if left else tensor[1:, :4] for name, tensor in rows.items()}
    for layer in (-1,) if strategy == "pooled" else (0, 1, -1):
        how = {"strategy": strategy, "layer": layer, "class_token_last": left}
        found, expected = vectors(model, rows, **how)[1], vectors(model, alone, **how)[0]
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_what_each_strategy_takes(bert):
    rows = batch()
    (_, tokens), (_, first), (_, pooled) = (
        vectors(bert, rows, strategy=strategy) for strategy in ("per_token", "cls_token", "pooled")
    )
    assert tokens.shape == (4, WIDTH), "two of the second row's six tokens are padding"
    assert torch.equal(first, tokens[0])
    assert torch.equal(pooled, bert(**rows)[1][1])
    mean, most = vectors(bert, rows, strategy="reduce_mean")[1], vectors(bert, rows, strategy="reduce_max")[1]
    torch.testing.assert_close(mean, tokens[1:].mean(dim=0))
    torch.testing.assert_close(most, tokens[1:].amax(dim=0))


def test_the_class_token_may_count_or_stand_at_the_end(bert):
    rows = batch()
    tokens = vectors(bert, rows, strategy="per_token")[1]
    every = vectors(bert, rows, strategy="reduce_mean", ignore_first_token=False)[1]
    torch.testing.assert_close(every, tokens.mean(dim=0))
    assert torch.equal(vectors(bert, rows, strategy="cls_token", class_token_last=True)[1], tokens[-1])
    before = vectors(bert, rows, strategy="reduce_max", class_token_last=True)[1]
    torch.testing.assert_close(before, tokens[:-1].amax(dim=0))


@pytest.mark.parametrize("strategy", ["reduce_mean", "reduce_max", "cls_token"])
def test_a_row_of_one_token_has_a_vector(bert, strategy):
    one = {name: tensor[:1, :1] for name, tensor in batch().items()}
    torch.testing.assert_close(vectors(bert, one, strategy=strategy)[0], vectors(bert, one, strategy="per_token")[0][0])


def test_a_model_that_was_asked_for_a_layer_can_travel(bert):
    before = [weight.data_ptr() for weight in bert.parameters()]
    vectors(bert, batch(), layer=1)
    assert [weight.data_ptr() for weight in bert.parameters()] == before
    assert [weight.data_ptr() for weight in bert.sharing_copy().parameters()] == before
    pickle.dumps(bert)


def test_what_is_not_given_stays(bert):
    how = checked_extraction(bert, Extraction(strategy="reduce_max", layer=1), layer=-2)
    assert (how.strategy, how.layer) == ("reduce_max", -2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "s3e"}, "s3e.*not available yet"),
        ({"strategy": "cls_tokens"}, 'did you mean "cls_token"'),
        ({"layer": 3}, r"extraction_layer=3.*0 \(embeddings\) to 2.*-1 to -3"),
        ({"layer": -4}, "extraction_layer=-4"),
        ({"strategy": "pooled", "layer": 1}, "extraction_layer=-1, not 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(bert, given, message):
    with pytest.raises(ConfigError, match=message):
        checked_extraction(bert, None, **given)


def test_another_layer_than_the_last_cannot_be_pooled_as_in_farm(bert):
    with pytest.raises(ValueError, match="pooled"):
        checked_extraction(bert, strategy="pooled", layer=-2)


@pytest.mark.parametrize("model_type", ["electra", "xlnet", "bert"])
def test_a_pooling_without_weights_gives_no_random_vectors(model_type, tmp_path):
    model = save_tiny_model(model_type, tmp_path)
    if model_type == "bert":
        model.pooler = None
        model.save_pretrained(tmp_path)
    with raised(ConfigError, "no-trained-pooling"):
        checked_extraction(LanguageModel.load(tmp_path), strategy="pooled")


def test_farms_xlnet_did_not_save_its_pooling(tmp_path):
    save_farm_language_model("XLNet", tmp_path)
    with raised(ConfigError, "no-trained-pooling"):
        checked_extraction(LanguageModel.load(tmp_path), strategy="pooled")

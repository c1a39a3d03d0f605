"""Masked language models to transformers and back, for every type of encoder that has one."""

import pytest
import torch
from transformers import AutoModelForMaskedLM, BertForPreTraining, ElectraForPreTraining

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead, TextClassificationHead
from tests.modeling.tiny_models import (
    MASKED_LM_TYPES,
    batch,
    same_weights,
    save_tiny_masked_lm,
    save_tiny_model,
    transformers_inputs,
)
from tests.raised import raised


def labelled(rows):
    labels = torch.full_like(rows["input_ids"], -1)
    labels[0, 1], labels[0, 3], labels[1, 2] = 7, 8, 9
    return {**rows, "lm_label_ids": labels}


@pytest.mark.parametrize("model_type", MASKED_LM_TYPES)
@torch.no_grad()
def test_there_and_back(model_type, tmp_path):
    original = save_tiny_masked_lm(model_type, tmp_path)
    rows = labelled(batch())
    inputs = transformers_inputs(original, rows)
    labels = rows["lm_label_ids"].masked_fill(rows["lm_label_ids"] < 0, -100)
    expected = original(**inputs, labels=labels)

    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    [back] = ours.convert_to_transformers()
    ours.save(tmp_path / "ours")
    again = AdaptiveModel.load(tmp_path / "ours", "cpu")

    [logits] = ours(**batch())
    assert torch.equal(logits, expected.logits)
    [of_predicted] = ours(**rows)
    assert torch.allclose(of_predicted, logits[rows["lm_label_ids"] >= 0], atol=1e-6)
    loss = ours.logits_to_loss([of_predicted], **rows)
    assert loss.shape == (2,)
    assert loss.mean().item() == pytest.approx(expected.loss.item(), rel=1e-6)
    assert torch.equal(again(**batch())[0], expected.logits)
    assert same_weights(back, original) or model_type == "big_bird", "its pooler is read by nothing, and is not kept"
    assert torch.equal(back(**inputs).logits, expected.logits)


@pytest.mark.parametrize("model_type", MASKED_LM_TYPES)
@torch.no_grad()
def test_a_new_language_model_gives_the_same_in_transformers(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path / "base")
    language_model = LanguageModel.load(tmp_path / "base", n_added_tokens=2)
    head = BertLMHead.for_language_model(language_model)
    ours = AdaptiveModel(language_model, [head], 0.1, "per_token", "cpu").eval()
    for weight in ours.parameters():
        weight.add_(torch.randn_like(weight) * 0.05)

    ours.convert_to_transformers()[0].save_pretrained(tmp_path / "theirs")
    theirs = AutoModelForMaskedLM.from_pretrained(tmp_path / "theirs")

    assert theirs.config.vocab_size == 62
    assert torch.equal(theirs(**transformers_inputs(theirs, batch())).logits, ours(**batch())[0])


@torch.no_grad()
def test_bert_with_two_heads_is_one_pretraining_model(tmp_path):
    original = save_tiny_masked_lm("bert", tmp_path, auto_class=BertForPreTraining)
    inputs = transformers_inputs(original, batch())
    expected = original(**inputs)

    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    [back] = ours.convert_to_transformers()

    tokens, rows = ours(**batch())
    assert torch.equal(tokens, expected.prediction_logits)
    assert torch.equal(rows, expected.seq_relationship_logits)
    assert [type(head) for head in ours.prediction_heads] == [BertLMHead, NextSentenceHead]
    assert type(back) is BertForPreTraining
    assert same_weights(back, original)
    assert torch.equal(NextSentenceHead.load(tmp_path).state_dict().popitem()[1], original.cls.seq_relationship.bias)


@torch.no_grad()
def test_a_deberta_of_the_newer_kind(tmp_path):
    original = save_tiny_masked_lm("deberta-v2", tmp_path, legacy=False)
    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    [back] = ours.convert_to_transformers()
    assert torch.equal(ours(**batch())[0], original(**transformers_inputs(original, batch())).logits)
    assert same_weights(back, original)


@pytest.mark.parametrize("model_type", MASKED_LM_TYPES)
def test_a_head_is_loaded_with_added_tokens(model_type, tmp_path):
    original = save_tiny_masked_lm(model_type, tmp_path)
    head = BertLMHead.load(tmp_path, n_added_tokens=3)
    model = AdaptiveModel(LanguageModel.load(tmp_path, n_added_tokens=3), [head], 0.0, "per_token", "cpu").eval()
    assert (head.vocab_size, head.num_labels, len(head.decoder.weight)) == (63, 63, 63)
    assert head.bias[60:].tolist() == [0, 0, 0]
    model.verify_vocab_size(63)
    with torch.no_grad():
        logits = model(**batch())[0]
        expected = original(**transformers_inputs(original, batch())).logits
    assert torch.allclose(logits[..., :60], expected, atol=1e-6)


def test_where_there_is_no_head_a_fresh_one_starts(tmp_path, caplog):
    save_tiny_model("bert", tmp_path)
    head = BertLMHead.load(tmp_path)
    assert (head.vocab_size, head.hidden_act) == (60, "gelu")
    assert "has no head for a masked language model" in caplog.text
    assert NextSentenceHead.load(tmp_path).label_list == ["True", "False"]
    assert "has no head for the next sentence" in caplog.text
    with raised(ConfigError, "wrong-task-type"):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu", task_type="lm")


def test_a_discriminator_has_no_lm_head(tmp_path):
    save_tiny_masked_lm("electra", tmp_path, auto_class=ElectraForPreTraining)
    with raised(ConfigError, "no-trained-head"):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu")


def test_a_head_that_is_there_in_part_is_refused(tmp_path):
    model = save_tiny_masked_lm("bert", tmp_path)
    weights = {name: weight for name, weight in model.state_dict().items() if "transform.dense" not in name}
    model.save_pretrained(tmp_path, state_dict=weights)
    with pytest.raises(ModelFolderError, match=r"lacks 2 weights .*cls\.predictions\.transform\.dense\.bias"):
        BertLMHead.load(tmp_path)


def test_a_decoder_of_its_own_is_refused(tmp_path):
    save_tiny_masked_lm("bert", tmp_path, tie_word_embeddings=False)
    with raised(ConfigError, "embeddings-not-tied"):
        BertLMHead.load(tmp_path)


def test_what_transformers_computes_otherwise_is_refused_with_the_head_that_fits(tmp_path):
    save_tiny_model("roberta", tmp_path)
    language_model = LanguageModel.load(tmp_path)
    model = AdaptiveModel(language_model, [BertLMHead(32, 60, "relu")], 0.0, "per_token", "cpu")
    with pytest.raises(ConfigError, match=r"hidden_act='relu', not 'gelu'.*BertLMHead\.for_language_model"):
        model.convert_to_transformers()


def test_a_type_without_a_masked_language_model(tmp_path):
    save_tiny_model("xlnet", tmp_path)
    with raised(ConfigError, "model-type-not-convertible", value="xlnet"):
        BertLMHead.load(tmp_path)
    language_model = LanguageModel.load(tmp_path)
    model = AdaptiveModel(language_model, [BertLMHead(32, 60)], 0.0, "per_token", "cpu")
    assert model(**batch(left=True))[0].shape == (2, 6, 60)
    with raised(ConfigError, "model-type-not-convertible"):
        model.convert_to_transformers()


def test_other_heads_beside_the_lm_head_become_models_of_their_own(tmp_path):
    save_tiny_masked_lm("bert", tmp_path)
    heads = [BertLMHead.load(tmp_path), TextClassificationHead(num_labels=3)]
    model = AdaptiveModel(LanguageModel.load(tmp_path), heads, 0.0, ["per_token", "per_sequence"], "cpu")
    names = [type(converted).__name__ for converted in model.convert_to_transformers()]
    assert names == ["BertForMaskedLM", "BertForSequenceClassification"]

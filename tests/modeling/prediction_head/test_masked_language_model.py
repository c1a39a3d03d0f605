"""The head that predicts tokens: one matrix with the word embeddings, scores for masked tokens only, a loss per token."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead, PredictionHead, TextClassificationHead
from tests.modeling.tiny_models import batch, save_farm_head, save_farm_language_model, save_tiny_model
from tests.raised import raised

TASK = {
    "task_type": "language_modelling",
    "label_list": [],
    "metric": ["acc"],
    "label_tensor_name": "lm_label_ids",
}


@pytest.fixture
def folder(tmp_path):
    save_tiny_model("bert", tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def model(folder):
    torch.manual_seed(0)
    return AdaptiveModel(LanguageModel.load(folder), [BertLMHead(32, 60)], 0.0, "per_token", "cpu").eval()


def labelled(labels=((1, 7), (3, 8), (2, 9)), rows=(0, 0, 1)):
    made = batch()
    made["lm_label_ids"] = torch.full_like(made["input_ids"], -1)
    for row, (position, label) in zip(rows, labels, strict=True):
        made["lm_label_ids"][row, position] = label
    return made


def embeddings(model):
    return model.language_model.model.get_input_embeddings().weight


def test_the_word_embeddings_are_shared_and_counted_once(model):
    head = model.prediction_heads[0]
    assert head.decoder.weight is embeddings(model)
    assert sorted(head.state_dict()) == ["LayerNorm.bias", "LayerNorm.weight", "bias", "dense.bias", "dense.weight"]
    shared = [name for name, weight in model.state_dict().items() if weight.shape == embeddings(model).shape]
    assert shared == ["language_model.model.embeddings.word_embeddings.weight"]
    assert sum(weight is embeddings(model) for weight in model.parameters()) == 1


def test_both_ways_of_use_give_gradients(model):
    rows = labelled()
    model.logits_to_loss(model(**rows), **rows).sum().backward()
    gradient = embeddings(model).grad
    unseen = sorted(set(range(60)) - set(rows["input_ids"].reshape(-1).tolist()))
    assert gradient[unseen].abs().sum() > 0, "as decoder"
    assert all(weight.grad is not None for weight in model.parameters() if weight.requires_grad)


@pytest.mark.parametrize(
    "move", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), lambda m: m.to("cpu")]
)
def test_they_stay_shared(move, model):
    moved = move(model)
    assert moved.prediction_heads[0].decoder.weight is embeddings(moved)
    assert torch.equal(moved(**labelled())[0], model(**labelled())[0])


def test_they_stay_shared_in_files_and_in_sent_weights(folder, model, tmp_path):
    with torch.no_grad():
        embeddings(model).add_(1.0)
    model.save(tmp_path / "saved")
    loaded = AdaptiveModel.load(tmp_path / "saved", "cpu")
    assert loaded.prediction_heads[0].decoder.weight is embeddings(loaded)
    assert torch.equal(loaded(**batch())[0], model(**batch())[0])
    assert loaded.prediction_heads[0].describe() == model.prediction_heads[0].describe()

    sent = {name: weight.detach().numpy() for name, weight in model.state_dict().items()}
    other = AdaptiveModel(LanguageModel.load(folder), [BertLMHead(32, 60)], 0.0, "per_token", "cpu").eval()
    other.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in sent.items()})
    assert torch.equal(other(**batch())[0], model(**batch())[0])


def test_they_stay_shared_when_tokens_are_added(model):
    model.language_model.model.resize_token_embeddings(63, mean_resizing=False)
    with pytest.raises(ConfigError, match=r"predicts 60 tokens.*63 embeddings now; call fit_heads_to_lm"):
        model(**batch())
    with raised(ConfigError, "head-of-other-vocabulary", value=60):
        model.verify_vocab_size(63)
    model.fit_heads_to_lm()
    model.verify_vocab_size(63)
    assert model(**batch())[0].shape == (2, 6, 63)
    assert model.prediction_heads[0].decoder.weight is embeddings(model)


def test_another_vocabulary_is_refused(folder):
    with raised(ConfigError, "head-of-other-vocabulary", value=90, embeddings=60):
        AdaptiveModel(LanguageModel.load(folder), [BertLMHead(32, 90)], 0.0, "per_token", "cpu")


def test_widths_are_fitted(tmp_path):
    save_tiny_model("electra", tmp_path)
    head = BertLMHead(768, 60)
    model = AdaptiveModel(LanguageModel.load(tmp_path), [head], 0.0, "per_token", "cpu").eval()
    assert (head.hidden_size, head.embedding_size) == (32, 16)
    assert model(**batch())[0].shape == (2, 6, 60)


def test_only_hidden_tokens_are_scored(model):
    rows = labelled()
    [of_predicted], [of_all] = model(**rows), model(**batch())
    assert (of_predicted.shape, of_all.shape) == ((3, 60), (2, 6, 60))
    assert torch.allclose(of_predicted, of_all[rows["lm_label_ids"] >= 0], atol=1e-6)
    assert torch.allclose(
        model.logits_to_loss([of_all], **rows), model.logits_to_loss([of_predicted], **rows), atol=1e-6
    )


def test_the_mean_over_rows_is_the_mean_over_predicted_tokens(model):
    rows = labelled()
    losses = model.logits_to_loss(model(**rows), **rows)
    gold = rows["lm_label_ids"].masked_fill(rows["lm_label_ids"] < 0, -100)
    expected = torch.nn.functional.cross_entropy(model(**batch())[0].reshape(-1, 60), gold.reshape(-1))
    assert losses.mean().item() == pytest.approx(expected.item(), rel=1e-6)
    assert model.prediction_heads[0].loss_units(**rows).tolist() == [2, 1]


def test_the_loop_can_tell_the_units_of_a_whole_step(model):
    rows = labelled()
    losses = model.logits_to_loss(model(**rows), **rows)
    told = {**rows, "lm_label_ids_per_row": torch.tensor(3.0)}
    assert torch.allclose(model.logits_to_loss(model(**told), **told), losses * 1.5 / 3)


def test_a_batch_without_hidden_tokens_has_loss_0_and_gradients(model):
    rows = labelled((), ())
    losses = model.logits_to_loss(model(**rows), **rows)
    losses.sum().backward()
    assert losses.tolist() == [0, 0]
    assert all(weight.grad is not None for weight in model.parameters() if weight.requires_grad)
    none = {**rows, "lm_label_ids_per_row": torch.tensor(0.0)}
    assert model.logits_to_loss(model(**none), **none).tolist() == [0, 0]


def test_answers_are_token_ids(model):
    rows = labelled()
    [preds], [labels] = model.logits_to_preds(model(**rows), **rows), model.prepare_labels(**rows)
    best = model(**batch())[0].argmax(dim=-1)
    assert [ids.tolist() for ids in preds] == [best[0, [1, 3]].tolist(), best[1, [2]].tolist()]
    assert [ids.tolist() for ids in labels] == [[7, 8], [9]]
    assert {ids.dtype for ids in (*preds, *labels)} == {np.dtype(np.int32)}
    assert [ids.tolist() for ids in model.logits_to_preds(model(**batch()))[0]] == best.tolist()


def test_there_are_no_answers_about_texts(model):
    with pytest.raises(ConfigError, match=r'"lm" trains a language model.*task_type="embeddings"'):
        model.formatted_preds(model(**batch()), ["a", "b"])


def test_a_task_brings_no_labels_or_the_whole_vocabulary(model):
    head = model.prediction_heads[0]
    model.connect_heads_with_processor({"lm": TASK})
    assert (head.metric, head.label_tensor_name, head.label_list) == (["acc"], "lm_label_ids", None)
    model.connect_heads_with_processor({"lm": {**TASK, "label_list": [str(n) for n in range(60)]}})
    with pytest.raises(ConfigError, match=r"has 61 tokens, but its head predicts 60.*n_added_tokens=1"):
        head.connect({**TASK, "label_list": [str(n) for n in range(61)]})
    with pytest.raises(ConfigError, match=r"is a language_modelling, and Text.*take a BertLMHead"):
        TextClassificationHead(num_labels=2).connect(TASK)


def test_by_name():
    head = PredictionHead.create("BertLMHead", [48, 70])
    assert (head.hidden_size, head.embedding_size, head.vocab_size) == (48, 48, 70)
    assert PredictionHead.create("BertLMHead", [48, 16, 70]).embedding_size == 16
    with raised(ConfigError, "wrong-widths"):
        PredictionHead.create("BertLMHead", [48, 16, 16, 70])
    with raised(ConfigError, "head-stands-alone"):
        head(torch.zeros(1, 48))


def test_a_saved_head_is_found_in_its_model_s_folder(model, tmp_path):
    model.save(tmp_path / "saved")
    for place in (tmp_path / "saved", tmp_path / "saved" / "prediction_head_0_config.json"):
        head = BertLMHead.load(place, n_added_tokens=2)
        assert head.vocab_size == 62
        assert torch.equal(head.dense.weight, model.prediction_heads[0].dense.weight)


def test_a_model_of_farm(tmp_path):
    save_farm_language_model("Bert", tmp_path)
    model_weights = LanguageModel.load(tmp_path).model.get_input_embeddings().weight.detach()
    described = {
        "hidden_size": 32,
        "hidden_act": "gelu",
        "vocab_size": 60,
        "num_labels": 60,
        "ph_output_type": "per_token",
        "model_type": "language_modelling",
        "task_name": "lm",
        "label_tensor_name": "lm_label_ids",
        "label_list": [f"token {n}" for n in range(60)],
        "metric": "acc",
        "name": "BertLMHead",
    }
    (tmp_path / "prediction_head_0_config.json").write_text(json.dumps(described))
    weights = {
        "dense.weight": torch.randn(32, 32),
        "dense.bias": torch.randn(32),
        "LayerNorm.weight": torch.randn(32),
        "LayerNorm.bias": torch.randn(32),
        "decoder.weight": model_weights,
        "bias": torch.randn(60),
    }
    torch.save(weights, tmp_path / "prediction_head_0.bin")
    save_farm_head(tmp_path, 1, "NextSentenceHead", task="nextsentence", labels=("False", "True"))

    model = AdaptiveModel.load(tmp_path, "cpu")
    lm, next_sentence = model.prediction_heads
    assert torch.equal(lm.dense.weight, weights["dense.weight"])
    assert torch.equal(lm.bias, weights["bias"])
    assert (lm.label_list, lm.layer_norm_eps, lm.metric) == (None, 1e-12, "acc")
    assert type(next_sentence) is NextSentenceHead
    assert next_sentence.label_list == ["True", "False"], "id 0 is the next sentence, whatever FARM called it"
    assert [tensor.shape for tensor in model(**batch())] == [(2, 6, 60), (2, 2)]

"""Heads that are no plain text classification, to transformers and back, for every type of encoder."""

import pytest
import torch
from transformers import AutoModelForTokenClassification

from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import (
    MultiLabelTextClassificationHead,
    PredictionHead,
    RegressionHead,
    TextClassificationHead,
    TokenClassificationHead,
)
from tests.modeling.tiny_models import (
    MODEL_TYPES,
    batch,
    same_weights,
    save_tiny_classifier,
    save_tiny_model,
    save_tiny_token_classifier,
    transformers_inputs,
)
from tests.raised import raised

TAGS = ["O", "B-PER", "I-PER", "X"]
MODERNBERT = {"layer_dims": [32, 32, 4], "hidden_layers": {"bias": False, "norm_eps": 1e-5, "norm_bias": False}}


def rows_for(model_type):
    return batch(left=model_type == "xlnet")


def new_model(folder, heads, dropout=0.3):
    """An AdaptiveModel with weights large enough to tell labels apart."""
    types = [head.ph_output_type for head in heads]
    model = AdaptiveModel(LanguageModel.load(folder), heads, dropout, types, "cpu").eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)
    return model


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_token_classifiers_there_and_back(model_type, tmp_path):
    original = save_tiny_token_classifier(model_type, tmp_path, TAGS)
    rows = rows_for(model_type)
    inputs = transformers_inputs(original, rows)
    expected = original(**inputs).logits

    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    [back] = ours.convert_to_transformers()
    ours.save(tmp_path / "ours")

    assert torch.equal(ours(**rows)[0], expected)
    assert torch.equal(AdaptiveModel.load(tmp_path / "ours", "cpu")(**rows)[0], expected)
    assert same_weights(back, original)
    assert torch.equal(back(**inputs).logits, expected)
    assert ours.prediction_heads[0].label_list == TAGS
    assert back.config.id2label == dict(enumerate(TAGS))
    assert back.config.problem_type is None


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_a_new_token_classifier_gives_the_same_in_transformers(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path / "base")
    settings = MODERNBERT if model_type == "modernbert" else {"num_labels": 4}
    ours = new_model(tmp_path / "base", [TokenClassificationHead(**settings)])
    rows = rows_for(model_type)

    ours.convert_to_transformers()[0].save_pretrained(tmp_path / "theirs")
    theirs = AutoModelForTokenClassification.from_pretrained(tmp_path / "theirs")

    assert torch.equal(theirs(**transformers_inputs(theirs, rows)).logits, ours(**rows)[0])
    again = AdaptiveModel.convert_from_transformers(tmp_path / "theirs", "cpu")
    has_its_own_dropout = model_type not in {"distilbert", "deberta-v2", "xlnet"}
    assert (again.embeds_dropout_prob == 0.3) == has_its_own_dropout


def test_a_plain_token_head_on_modernbert_is_refused_with_the_head_that_fits(tmp_path):
    save_tiny_model("modernbert", tmp_path)
    ours = new_model(tmp_path, [TokenClassificationHead(num_labels=4)])
    with pytest.raises(
        ConfigError, match=r"TokenClassificationHead\(layer_dims=\[32, 32, 4\], activation='gelu', hidd"
    ):
        ours.convert_to_transformers()


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_multilabel_there_and_back(model_type, tmp_path):
    several = {"problem_type": "multi_label_classification"}
    original = save_tiny_classifier(model_type, tmp_path, ["toxic", "insult"], **several)
    rows = rows_for(model_type)
    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    ours.prediction_heads[0].pred_threshold = 0.3
    [back] = ours.convert_to_transformers()
    back.save_pretrained(tmp_path / "theirs")
    again = AdaptiveModel.convert_from_transformers(tmp_path / "theirs", "cpu")

    assert torch.equal(ours(**rows)[0], original(**transformers_inputs(original, rows)).logits)
    assert same_weights(back, original)
    assert back.config.problem_type == "multi_label_classification"
    assert again.prediction_heads[0].label_list == ["toxic", "insult"]
    assert again.prediction_heads[0].pred_threshold == 0.3


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_regression_there_and_back(model_type, tmp_path):
    original = save_tiny_classifier(model_type, tmp_path, ["LABEL_0"])
    rows = rows_for(model_type)
    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    [back] = ours.convert_to_transformers()
    assert torch.equal(ours(**rows)[0], original(**transformers_inputs(original, rows)).logits)
    assert same_weights(back, original)
    assert (back.config.problem_type, back.config.num_labels) == ("regression", 1)
    head = ours.prediction_heads[0]
    assert (head.mean, head.scale, head.label_list) == (0.0, 1.0, None)


@torch.no_grad()
def test_transformers_gives_the_unscaled_number(tmp_path):
    save_tiny_model("bert", tmp_path / "base")
    ours = new_model(tmp_path / "base", [RegressionHead()])
    ours.prediction_heads[0].label_list = [4.75, 0.433]
    [theirs] = ours.convert_to_transformers()
    theirs.save_pretrained(tmp_path / "theirs")
    expected = ours.logits_to_preds(ours(**batch()))[0]
    assert theirs(**transformers_inputs(theirs, batch())).logits.reshape(-1).tolist() == pytest.approx(expected)
    again = AdaptiveModel.convert_from_transformers(tmp_path / "theirs", "cpu")
    assert again.logits_to_preds(again(**batch()))[0] == pytest.approx(expected)
    assert ours.logits_to_preds(ours(**batch()))[0] == expected


def test_mixed_heads_become_one_model_each(tmp_path):
    save_tiny_model("bert", tmp_path)
    heads = [TokenClassificationHead(num_labels=4), TextClassificationHead(num_labels=2), RegressionHead()]
    converted = new_model(tmp_path, heads).convert_to_transformers()
    assert [type(model).__name__ for model in converted] == [
        "BertForTokenClassification",
        "BertForSequenceClassification",
        "BertForSequenceClassification",
    ]
    assert [model.config.num_labels for model in converted] == [4, 2, 1]


def test_a_row_head_on_an_encoder_from_a_token_classifier_cannot_be_converted(tmp_path):
    save_tiny_token_classifier("bert", tmp_path)
    encoder = AdaptiveModel.convert_from_transformers(tmp_path, "cpu").language_model
    model = AdaptiveModel(encoder, [TextClassificationHead(num_labels=2)], 0.1, "per_sequence", "cpu")
    with raised(ConfigError, "pooling-not-convertible"):
        model.convert_to_transformers()


@pytest.mark.parametrize(
    ("head", "save", "labels"),
    [
        (TokenClassificationHead, save_tiny_token_classifier, TAGS),
        (RegressionHead, save_tiny_classifier, ["value"]),
        (TextClassificationHead, save_tiny_classifier, ["a", "b"]),
    ],
)
def test_a_head_is_loaded_by_the_name_of_a_transformers_model(head, save, labels, tmp_path):
    hf_model = save("distilbert", tmp_path, labels)
    made = head.load(tmp_path)
    assert type(made) is head
    assert torch.equal(made.feed_forward.feed_forward[-1].weight, hf_model.classifier.weight)
    made.save(tmp_path / "ours")
    assert made.describe() == PredictionHead.load(tmp_path / "ours" / "prediction_head_0_config.json").describe()


def test_a_head_of_another_kind_is_not_loaded(tmp_path):
    save_tiny_classifier("bert", tmp_path, problem_type="multi_label_classification")
    assert type(MultiLabelTextClassificationHead.load(tmp_path)) is MultiLabelTextClassificationHead
    with pytest.raises(ConfigError, match=r"take MultiLabelTextClassificationHead\.load"):
        TextClassificationHead.load(tmp_path)
    with raised(ConfigError, "wrong-task-type", value="ner"):
        TokenClassificationHead.load(tmp_path)

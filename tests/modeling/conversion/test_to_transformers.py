"""To transformers and back: equal weights, equal logits, label names carried; what cannot be converted says so."""

from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from farm_ray.conversion.transformers import Converter
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import (
    MultiLabelTextClassificationHead,
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

LABELS = ["NEG", "POS", "NONE"]
TAGS = ["O", "B-PER", "I-PER", "X"]


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_there_and_back(model_type, tmp_path):
    original = save_tiny_classifier(model_type, tmp_path, LABELS)
    rows = batch(left=model_type == "xlnet")
    inputs = transformers_inputs(original, rows)
    expected = original(**inputs).logits

    ours = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    [back] = ours.convert_to_transformers()

    assert torch.equal(ours(**rows)[0], expected)
    assert same_weights(back, original)
    assert torch.equal(back(**inputs).logits, expected)
    assert ours.prediction_heads[0].label_list == LABELS
    assert back.config.id2label == dict(enumerate(LABELS))
    assert back.config.label2id == {label: n for n, label in enumerate(LABELS)}


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@torch.no_grad()
def test_a_new_model_saved_by_us_and_by_transformers_gives_the_same(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path / "base")
    head = TextClassificationHead(num_labels=3)
    made = AdaptiveModel(LanguageModel.load(tmp_path / "base"), [head], 0.3, "per_sequence", "cpu").eval()
    for weight in made.parameters():
        weight.add_(torch.randn_like(weight) * 0.05)
    rows = batch(left=model_type == "xlnet")
    expected = made(**rows)[0]

    made.save(tmp_path / "ours")
    loaded = AdaptiveModel.load(tmp_path / "ours", "cpu")
    loaded.convert_to_transformers()[0].save_pretrained(tmp_path / "theirs")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "theirs")

    assert torch.equal(loaded(**rows)[0], expected)
    assert torch.equal(theirs(**transformers_inputs(theirs, rows)).logits, expected)
    assert AdaptiveModel.convert_from_transformers(tmp_path / "theirs", "cpu").embeds_dropout_prob == 0.3


def test_conversion_leaves_the_random_numbers_alone(tmp_path):
    save_tiny_classifier("bert", tmp_path)
    model = AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    state = torch.get_rng_state()
    model.convert_to_transformers()
    assert torch.equal(torch.get_rng_state(), state)


def test_dropout_travels(tmp_path):
    save_tiny_classifier("distilbert", tmp_path, seq_classif_dropout=0.25)
    assert AdaptiveModel.convert_from_transformers(tmp_path, "cpu").embeds_dropout_prob == 0.25


def test_embeddings_have_no_head(tmp_path):
    save_tiny_model("bert", tmp_path)
    model = Converter.convert_from_transformers(tmp_path, "cpu", task_type="embeddings")
    [(tokens, rows)] = model(**batch())
    assert (tokens.shape, rows.shape) == ((2, 6, 32), (2, 32))


def test_the_processor_s_tasks_are_connected(tmp_path):
    save_tiny_classifier("bert", tmp_path)

    task = {"label_list": ["a", "b", "c"], "label_tensor_name": "ids", "metric": "acc"}
    processor = SimpleNamespace(tasks={"text_classification": task})
    model = AdaptiveModel.convert_from_transformers(tmp_path, "cpu", processor=processor)
    assert model.prediction_heads[0].label_list == ["a", "b", "c"]
    assert model.prediction_heads[0].label_tensor_name == "ids"


def test_other_tasks_are_not_there_yet(tmp_path):
    save_tiny_classifier("bert", tmp_path)
    with raised(ConfigError, "not-available-yet", value="question_answering"):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu", task_type="question_answering")


SEVERAL = {"problem_type": "multi_label_classification"}


@pytest.mark.parametrize(
    ("save", "labels", "settings", "task_type", "head"),
    [
        (save_tiny_classifier, LABELS, {}, None, TextClassificationHead),
        (save_tiny_classifier, LABELS, {}, "text_classification", TextClassificationHead),
        (save_tiny_classifier, LABELS, {}, "multilabel_text_classification", MultiLabelTextClassificationHead),
        (save_tiny_classifier, LABELS, SEVERAL, None, MultiLabelTextClassificationHead),
        (save_tiny_classifier, LABELS, SEVERAL, "text_classification", MultiLabelTextClassificationHead),
        (save_tiny_classifier, ["value"], {}, None, RegressionHead),
        (save_tiny_classifier, ["value"], {}, "text_classification", RegressionHead),
        (save_tiny_classifier, ["value"], {}, "regression", RegressionHead),
        (save_tiny_token_classifier, TAGS, {}, None, TokenClassificationHead),
        (save_tiny_token_classifier, TAGS, {}, "ner", TokenClassificationHead),
        (save_tiny_token_classifier, TAGS, {}, "token_classification", TokenClassificationHead),
    ],
)
def test_the_task_is_read_off_the_checkpoint(save, labels, settings, task_type, head, tmp_path):
    save("bert", tmp_path, labels, **settings)
    model = AdaptiveModel.convert_from_transformers(tmp_path, "cpu", task_type=task_type)
    assert type(model.prediction_heads[0]) is head
    assert model.lm_output_types == [head.ph_output_type]


@pytest.mark.parametrize(
    ("save", "labels", "settings", "task_type", "there"),
    [
        (save_tiny_classifier, LABELS, {}, "ner", "text_classification"),
        (save_tiny_classifier, LABELS, {}, "regression", "text_classification"),
        (
            save_tiny_classifier,
            LABELS,
            {"problem_type": "single_label_classification"},
            "multilabel_text_classification",
            "text_classification",
        ),
        (save_tiny_classifier, ["value"], {}, "multilabel_text_classification", "regression"),
        (save_tiny_token_classifier, TAGS, {}, "text_classification", "ner"),
        (save_tiny_token_classifier, TAGS, {}, "lm", "ner"),
    ],
)
def test_a_head_for_another_task_is_refused_with_the_one_there(save, labels, settings, task_type, there, tmp_path):
    save("bert", tmp_path, labels, **settings)
    with pytest.raises(ConfigError, match=f'holds a {there} .*no trained {task_type} head.*give task_type="{there}"'):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu", task_type=task_type)


def test_a_bare_encoder_has_no_classifier(tmp_path):
    save_tiny_model("bert", tmp_path)
    with pytest.raises(ConfigError, match=r"no trained text_classification head; build AdaptiveModel"):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu", task_type="text_classification")
    with pytest.raises(ConfigError, match=r'has no head; give task_type="embeddings"'):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
    with pytest.raises(ConfigError, match=r'"text_clasification"; did you mean "text_classification"'):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu", task_type="text_clasification")


def test_a_classifier_without_weights(tmp_path):
    save_tiny_classifier("bert", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with raised(ModelFolderError, "missing-model-file", file="model.safetensors"):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu")


def test_a_checkpoint_that_only_says_it_is_a_classifier(tmp_path):
    model = save_tiny_model("bert", tmp_path)
    model.config.architectures = ["BertForSequenceClassification"]
    model.config.save_pretrained(tmp_path)
    with pytest.raises(ModelFolderError, match=r"model\.safetensors lacks 2 weights .*classifier\.bias"):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu")


def test_other_model_types_are_named(tmp_path):
    config = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    save_tiny_model("mpnet", tmp_path, **config)
    head = TextClassificationHead(num_labels=2)
    model = AdaptiveModel(LanguageModel.load(tmp_path), [head], 0.1, "per_sequence", "cpu")
    with raised(ConfigError, "model-type-not-convertible", value="mpnet"):
        model.convert_to_transformers()


def test_a_head_of_two_layers_is_left_out(tmp_path, caplog):
    save_tiny_model("bert", tmp_path)
    heads = [TextClassificationHead(layer_dims=[32, 8, 2]), TextClassificationHead(num_labels=2, task_name="other")]
    model = AdaptiveModel(LanguageModel.load(tmp_path), heads, 0.1, "per_sequence", "cpu")
    assert len(model.convert_to_transformers()) == 1
    assert "[32, 8, 2]" in caplog.text


def test_a_regression_of_several_numbers_is_no_classifier(tmp_path):
    save_tiny_classifier("bert", tmp_path, problem_type="regression")
    for task in (None, "regression", "text_classification"):
        with raised(ConfigError, "too-many-outputs", value=3):
            Converter.convert_from_transformers(tmp_path, "cpu", task_type=task)

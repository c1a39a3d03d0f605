"""Whether a checkpoint holds a head for the task that is asked for."""

import pytest

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
    save_tiny_classifier,
    save_tiny_model,
    save_tiny_token_classifier,
)
from tests.raised import raised

LABELS = ["NEG", "POS", "NONE"]


TAGS = ["O", "B-PER", "I-PER", "X"]


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


def test_a_regression_of_several_numbers_is_no_classifier(tmp_path):
    save_tiny_classifier("bert", tmp_path, problem_type="regression")
    for task in (None, "regression", "text_classification"):
        with raised(ConfigError, "too-many-outputs", value=3):
            Converter.convert_from_transformers(tmp_path, "cpu", task_type=task)

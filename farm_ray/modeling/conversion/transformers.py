"""Between AdaptiveModel and transformers' sequence classification models: equal weights, equal logits, both ways."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import FARM_DROPOUT, AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.language_model.loading import from_transformers_classifier, open_classifier, open_config
from farm_ray.modeling.language_model.pooling import FAMILIES, Family, classifier_dropout
from farm_ray.modeling.language_model.quiet import quiet_transformers
from farm_ray.modeling.prediction_head import PredictionHead, TextClassificationHead

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

_LATER = ("regression", "ner", "question_answering", "lm", "multilabel_text_classification")
_TASK_BY_ARCHITECTURE = {
    "MaskedLM": "lm",
    "PreTraining": "lm",
    "QuestionAnswering": "question_answering",
    "TokenClassification": "ner",
}


class Converter:
    """Converts models from and to transformers."""

    @staticmethod
    def convert_from_transformers(
        model_name_or_path: str | Path,
        device: str | torch.device,
        revision: str | None = None,
        task_type: str | None = None,
        processor: Any = None,
    ) -> AdaptiveModel:
        """A transformers model as an AdaptiveModel, in eval mode.

        Args:
            model_name_or_path: Folder, or name on the hub.
            device: Where the model goes.
            revision: Branch, tag or commit on the hub.
            task_type: `text_classification`, or `embeddings` for a model without a head; None: by the checkpoint.
            processor: Its tasks are connected with the head.

        Raises:
            ModelFolderError: When the model is missing or damaged.
            ConfigError: When the task is not available, or the checkpoint holds no head for it.
        """
        if task_type == "embeddings":
            language_model = LanguageModel.load(model_name_or_path, revision)
            return AdaptiveModel(language_model, [], FARM_DROPOUT, ["per_token", "per_sequence"], device).eval()
        hf_model = _open_for_classification(model_name_or_path, revision, task_type)
        model = AdaptiveModel(
            from_transformers_classifier(hf_model, model_name_or_path),
            [_head_of(hf_model)],
            classifier_dropout(hf_model.config, _family(hf_model.config).layout.dropout),
            "per_sequence",
            device,
        )
        if processor is not None:
            model.connect_heads_with_processor(processor.tasks, require_labels=False)
        return model.eval()

    @staticmethod
    def convert_to_transformers(adaptive_model: AdaptiveModel) -> list[PreTrainedModel]:
        """One transformers model per head, on the CPU, in eval mode; label names are in `config.id2label`.

        A head of more than one layer has no place in transformers; it is left out, and the log says so.

        Raises:
            ConfigError: When transformers has no model with equal logits for this language model and head.
        """
        converted = []
        for head in adaptive_model.prediction_heads:
            assert isinstance(head, PredictionHead)
            if len(head.layer_dims) != 2:  # noqa: PLR2004
                logger.warning(
                    'the head of task "%s" has the layers %s; transformers knows heads of one layer only, so it is '
                    "left out",
                    head.task_name,
                    head.layer_dims,
                )
            else:
                converted.append(_to_classifier(adaptive_model, head))
        return converted


def classification_head(model_name_or_path: str | Path, *, revision: str | None = None) -> TextClassificationHead:
    """The classifier of a transformers sequence classification model, with its label names."""
    return _head_of(_open_for_classification(model_name_or_path, revision, "text_classification"))


def _open_for_classification(
    model_name_or_path: str | Path, revision: str | None, task_type: str | None
) -> PreTrainedModel:
    config = open_config(model_name_or_path, revision)
    there = _task_of(config)
    wanted = task_type or there
    if wanted in _LATER:
        raise ConfigError(
            f'conversion of "{wanted}" models ({model_name_or_path}) is not available yet in this version'
        )
    if wanted is None:
        raise ConfigError(
            f'"{model_name_or_path}" ({_architecture(config) or "no architecture given"}) has no head; give '
            'task_type="embeddings", or train a head: LanguageModel.load and TextClassificationHead'
        )
    if wanted != "text_classification":
        raise ConfigError(f'unknown task_type "{wanted}"{nearest(wanted, ("text_classification", "embeddings"))}')
    if there != wanted:
        raise ConfigError(
            f'"{model_name_or_path}" holds a {there or "bare"} model ({_architecture(config)}), no trained '
            "text_classification head; build AdaptiveModel with LanguageModel.load and a new TextClassificationHead"
        )
    _family(config)
    return open_classifier(model_name_or_path, config, revision)


def _architecture(config: PreTrainedConfig) -> str:
    return (getattr(config, "architectures", None) or [""])[0]


def _task_of(config: PreTrainedConfig) -> str | None:
    architecture = _architecture(config)
    if architecture.endswith("SequenceClassification"):
        if config.problem_type == "multi_label_classification":
            return "multilabel_text_classification"
        return "regression" if config.num_labels == 1 else "text_classification"
    return next((task for ending, task in _TASK_BY_ARCHITECTURE.items() if architecture.endswith(ending)), None)


def _family(config: PreTrainedConfig) -> Family:
    if config.model_type not in FAMILIES:
        raise ConfigError(
            f'classifiers of model type "{config.model_type}" cannot be converted; the types that can are '
            f"{', '.join(sorted(FAMILIES))}"
        )
    return FAMILIES[config.model_type]


def _head_of(hf_model: PreTrainedModel) -> TextClassificationHead:
    classifier = _classifier(hf_model)
    head = TextClassificationHead(layer_dims=[classifier.in_features, classifier.out_features])
    names: Any = hf_model.config.id2label
    head.label_list = [str(names[label_id]) for label_id in range(classifier.out_features)]
    _only_linear(head).load_state_dict(classifier.state_dict())
    return head


def _to_classifier(adaptive_model: AdaptiveModel, head: PredictionHead) -> PreTrainedModel:
    language_model = adaptive_model.language_model
    config = _classifier_config(adaptive_model, head)
    family = _family(config)
    _check_pooling(language_model, family)
    with torch.random.fork_rng(devices=[]), quiet_transformers():
        hf_model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    _copy_encoder(language_model.model, cast("nn.Module", hf_model.base_model))
    for part, path in family.layout.pooling.items():
        hf_model.get_submodule(path).load_state_dict(_pooling_part(language_model, part).state_dict())
    _classifier(hf_model).load_state_dict(_only_linear(head).state_dict())
    return hf_model.eval()


def _copy_encoder(ours: nn.Module, theirs: nn.Module) -> None:
    """All weights but those of a pooler that only one side has; where it counts, it is copied with the pooling."""
    weights = ours.state_dict()
    wanted = theirs.state_dict().keys()
    report = theirs.load_state_dict({name: weights[name] for name in wanted & weights.keys()}, strict=False)
    assert all(name.startswith("pooler.") for name in report.missing_keys), report.missing_keys


def _classifier_config(adaptive_model: AdaptiveModel, head: PredictionHead) -> PreTrainedConfig:
    if head.model_type != "text_classification":
        raise ConfigError(f'conversion of "{head.model_type}" heads is not available yet in this version')
    config = copy.deepcopy(adaptive_model.language_model.model.config)
    labels = head.label_list or [f"LABEL_{label_id}" for label_id in range(head.num_labels)]
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: label_id for label_id, label in enumerate(labels)}
    config.problem_type = "single_label_classification"
    config.finetuning_task = head.model_type
    config.language = adaptive_model.get_language()
    setattr(config, _family(config).layout.dropout, adaptive_model.embeds_dropout_prob)
    return config


def _check_pooling(language_model: LanguageModel, family: Family) -> None:
    """The pooling must compute what transformers' classifier computes; dropout does not matter for that."""
    ours = language_model.pooling.model_copy(update={"dropout": 0.0})
    theirs = family.pooling(language_model.model.config).model_copy(update={"dropout": 0.0})
    is_tanh_pooler = theirs.source == "first" and theirs.projection and theirs.activation == "tanh"
    if ours != theirs and not (ours.source == "encoder" and is_tanh_pooler and theirs.norm_eps is None):
        raise ConfigError(
            f"this {type(language_model).__name__} pools rows in a way that transformers' classifier does not (a FARM "
            "0.8 model?), so no transformers model gives equal predictions; train it anew from the pretrained model"
        )


def _pooling_part(language_model: LanguageModel, part: str) -> nn.Module:
    """The weights of one part of the pooling; an encoder's own pooler is a projection followed by tanh."""
    if language_model.pooling.source != "encoder":
        return language_model.pooler.get_submodule(part)
    return language_model.model.get_submodule(f"pooler.{part}")


def _classifier(hf_model: PreTrainedModel) -> nn.Linear:
    layer = hf_model.get_submodule(_family(hf_model.config).layout.classifier)
    assert isinstance(layer, nn.Linear), "the layout names the linear layer"
    return layer


def _only_linear(head: PredictionHead) -> nn.Module:
    return head.feed_forward.feed_forward[0]

"""One head of an AdaptiveModel and its language model as a transformers model."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from farm_ray.errors import ConfigError
from farm_ray.modeling.conversion.encoders import around_encoder
from farm_ray.modeling.conversion.heads import (
    HEAD_BY_TASK,
    NER,
    PROBLEM_TYPE,
    THRESHOLD,
    layer_paths,
    layers_of,
    token_layout,
    token_widths,
)
from farm_ray.modeling.language_model.pooling import FAMILIES, Family
from farm_ray.modeling.prediction_head import PredictionHead, RegressionHead

if TYPE_CHECKING:
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel

Weights = Mapping[str, torch.Tensor]

_ONE_LAYER = 2
"""Widths of a head of one layer: in and out."""


def convert_head(
    adaptive_model: AdaptiveModel, head: PredictionHead, *, shared: bool = False
) -> PreTrainedModel | None:
    """The transformers model for this head, on the CPU, in eval mode; None where it has no place for the head's layers.

    Args:
        adaptive_model: Whose language model is taken.
        head: One of its heads.
        shared: As for `around_encoder`.

    Raises:
        ConfigError: When transformers has no model with equal logits for this language model and head.
    """
    language_model = adaptive_model.language_model
    config = copy.deepcopy(language_model.model.config)
    task = _task_of(head)
    family = _family(config)
    if not _has_place(head, task, config):
        return None
    _describe(config, adaptive_model, head, family)
    if task != NER:
        _check_pooling(language_model, family)
    auto_class: Any = AutoModelForTokenClassification if task == NER else AutoModelForSequenceClassification
    pooling = {} if task == NER else family.layout.pooling
    layers = [(path, _pooling_part(language_model, part)) for part, path in pooling.items()]
    layers += zip(layer_paths(config, task), _layers(head), strict=True)
    weights = {f"{path}.{name}": weight for path, layer in layers for name, weight in layer.items()}
    return around_encoder(
        lambda: auto_class.from_config(config, dtype=torch.float32), language_model.model, weights, shared=shared
    )


def _task_of(head: PredictionHead) -> str:
    for task, kind in HEAD_BY_TASK.items():
        if head.model_type == kind.model_type:
            return task
    raise ConfigError(f'conversion of "{head.model_type}" heads is not available yet in this version')


def _family(config: PreTrainedConfig) -> Family:
    if config.model_type not in FAMILIES:
        raise ConfigError(
            f'classifiers of model type "{config.model_type}" cannot be converted; the types that can are '
            f"{', '.join(sorted(FAMILIES))}"
        )
    return FAMILIES[config.model_type]


def _has_place(head: PredictionHead, task: str, config: PreTrainedConfig) -> bool:
    hidden = token_layout(config).hidden(config) if task == NER else {}
    if not hidden:
        return len(head.layer_dims) == _ONE_LAYER
    widths = token_widths(config, head.num_labels)
    if head.layer_dims == widths and hidden == {name: getattr(head, name) for name in hidden}:
        return True
    if len(head.layer_dims) != _ONE_LAYER:
        return False
    settings = ", ".join(f"{name}={value!r}" for name, value in hidden.items())
    raise ConfigError(
        f"transformers' token classifier of type {config.model_type} has a layer before the labels, and the head of "
        f'task "{head.task_name}" has none; a head that can be converted is {type(head).__name__}(layer_dims={widths}, '
        f"{settings})"
    )


def _describe(config: PreTrainedConfig, adaptive_model: AdaptiveModel, head: PredictionHead, family: Family) -> None:
    """Labels, problem type and dropout in the configuration."""
    named = head.label_list if head.label_list and not isinstance(head, RegressionHead) else None
    labels = named or [f"LABEL_{label_id}" for label_id in range(head.num_labels)]
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: label_id for label_id, label in enumerate(labels)}
    config.problem_type = cast("Any", PROBLEM_TYPE.get(head.model_type))
    config.finetuning_task = head.model_type
    config.language = adaptive_model.get_language()
    threshold = getattr(head, THRESHOLD, None)
    if threshold is not None:
        setattr(config, THRESHOLD, threshold)
    dropout = family.layout.dropout if head.model_type in PROBLEM_TYPE else family.tokens.dropout
    if dropout is not None:
        setattr(config, dropout, adaptive_model.embeds_dropout_prob)


def _check_pooling(language_model: LanguageModel, family: Family) -> None:
    """The pooling must compute what transformers' classifier computes; dropout does not matter for that."""
    ours = language_model.pooling.model_copy(update={"dropout": 0.0})
    theirs = family.pooling(language_model.model.config).model_copy(update={"dropout": 0.0})
    is_tanh_pooler = theirs.source == "first" and theirs.projection and theirs.activation == "tanh"
    if ours != theirs and not (ours.source == "encoder" and is_tanh_pooler and theirs.norm_eps is None):
        raise ConfigError(
            f"this {type(language_model).__name__} pools rows in a way that transformers' classifier does not (from "
            "FARM 0.8, or from a model for tokens?), so no transformers model gives equal predictions; train it again "
            "from the pretrained model"
        )


def _layers(head: PredictionHead) -> list[Weights]:
    """The weights of the head's layers, in order; transformers does not scale labels, so the last layer does it."""
    *hidden, last = [dict(layer.state_dict()) for layer in layers_of(head)]
    if isinstance(head, RegressionHead):
        last = {"weight": last["weight"] * head.scale, "bias": last["bias"] * head.scale + head.mean}
    return [*hidden, last]


def _pooling_part(language_model: LanguageModel, part: str) -> Weights:
    """The weights of one part of the pooling; an encoder's own pooler is a projection followed by tanh."""
    if language_model.pooling.source != "encoder":
        return language_model.pooler.get_submodule(part).state_dict()
    return language_model.model.get_submodule(f"pooler.{part}").state_dict()

"""The heads of an AdaptiveModel, each with the language model, as transformers models."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.conversion.architectures import ARCHITECTURES, Architecture, architecture_for
from farm_ray.modeling.conversion.encoders import around_encoder
from farm_ray.modeling.conversion.masked_lm import converted_lm, pretraining_partner
from farm_ray.modeling.language_model.pooling import FAMILIES, Family
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.table import spec_of_head

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.prediction_head import BertLMHead, PredictionHead
    from farm_ray.modeling.prediction_head.convertible import ConvertibleHead
    from farm_ray.tasks.spec import TaskSpec

logger = logging.getLogger(__name__)

Weights = Mapping[str, torch.Tensor]

_ONE_LAYER = 2
"""Widths of a head of one layer: in and out."""


def transformers_models(adaptive_model: AdaptiveModel) -> list[PreTrainedModel]:
    """See `AdaptiveModel.convert_to_transformers`."""
    converted = []
    partner = pretraining_partner(adaptive_model)
    heads = list(adaptive_model.prediction_heads)
    for head in heads:
        if head is partner:
            continue
        if head.model_type == LANGUAGE_MODELLING.head_type:
            converted.append(converted_lm(adaptive_model, cast("BertLMHead", head), partner))
            continue
        hf_model = convert_head(adaptive_model, head)
        if hf_model is None:
            logger.warning(
                'the head of task "%s" has the layers %s, for which transformers has no place, so it is left out',
                head.task_name,
                head.layer_dims,
            )
        else:
            converted.append(hf_model)
    return converted


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
    spec = _spec_of(head)
    architecture = architecture_for(spec)
    known = cast("ConvertibleHead", head)
    family = _family(config)
    if not _has_place(known, architecture, config):
        return None
    _describe(config, adaptive_model, known, spec)
    if architecture.reads_rows:
        _check_pooling(language_model, family)
    pooling = family.layout.pooling if architecture.reads_rows else {}
    layers = [(path, _pooling_part(language_model, part)) for part, path in pooling.items()]
    layers += zip(architecture.layers(config), known.exported_layers(), strict=True)
    weights = {f"{path}.{name}": weight for path, layer in layers for name, weight in layer.items()}
    return around_encoder(
        lambda: architecture.auto_class.from_config(config, dtype=torch.float32),
        language_model.model,
        weights,
        shared=shared,
    )


def _spec_of(head: PredictionHead) -> TaskSpec:
    spec = spec_of_head(head.model_type)
    if spec is None or spec.transformers is None or spec.transformers.endings[0] not in ARCHITECTURES:
        raise ConfigError(
            f'conversion of "{head.model_type}" heads is not available yet in this version',
            code="not-available-yet",
            value=head.model_type,
        )
    return spec


def _family(config: PreTrainedConfig) -> Family:
    if config.model_type not in FAMILIES:
        raise ConfigError(
            f'classifiers of model type "{config.model_type}" cannot be converted; the types that can are '
            f"{', '.join(sorted(FAMILIES))}",
            code="model-type-not-convertible",
            value=config.model_type,
        )
    return FAMILIES[config.model_type]


def _has_place(head: ConvertibleHead, architecture: Architecture, config: PreTrainedConfig) -> bool:
    hidden = architecture.hidden(config)
    if not hidden:
        return len(head.layer_dims) == _ONE_LAYER
    widths = architecture.widths(config, head.num_labels)
    if head.layer_dims == widths and hidden == {name: getattr(head, name) for name in hidden}:
        return True
    if len(head.layer_dims) != _ONE_LAYER:
        return False
    settings = ", ".join(f"{name}={value!r}" for name, value in hidden.items())
    raise ConfigError(
        f"transformers' token classifier of type {config.model_type} has a layer before the labels, and the head of "
        f'task "{head.task_name}" has none; a head that can be converted is {type(head).__name__}(layer_dims={widths}, '
        f"{settings})",
        code="head-not-convertible",
        value=config.model_type,
        task=head.task_name,
    )


def _describe(config: PreTrainedConfig, adaptive_model: AdaptiveModel, head: ConvertibleHead, spec: TaskSpec) -> None:
    """Labels, problem type and dropout in the configuration."""
    named = head.label_list if head.names_its_outputs else None
    labels = named or [f"LABEL_{label_id}" for label_id in range(head.num_labels)]
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: label_id for label_id, label in enumerate(labels)}
    config.problem_type = cast("Any", spec.transformers and spec.transformers.problem_type)
    config.finetuning_task = head.model_type
    config.language = adaptive_model.get_language()
    for name, value in head.settings_for_transformers().items():
        setattr(config, name, value)
    dropout = architecture_for(spec).dropout(config)
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
            "from the pretrained model",
            code="pooling-not-convertible",
            value=type(language_model).__name__,
        )


def _pooling_part(language_model: LanguageModel, part: str) -> Weights:
    """The weights of one part of the pooling; an encoder's own pooler is a projection followed by tanh."""
    if language_model.pooling.source != "encoder":
        return language_model.pooler.get_submodule(part).state_dict()
    return language_model.model.get_submodule(f"pooler.{part}").state_dict()

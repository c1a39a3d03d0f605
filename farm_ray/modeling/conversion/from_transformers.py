"""A transformers model with its head as the parts of an AdaptiveModel: equal weights, equal predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from farm_ray.modeling.conversion.architectures import architecture_for
from farm_ray.modeling.conversion.heads import head_of
from farm_ray.modeling.conversion.masked_lm import NEXT_SENTENCE_HEAD, trained_lm_heads
from farm_ray.modeling.conversion.tasks import checked_task
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.language_model.loading import open_config
from farm_ray.modeling.language_model.pooling import classifier_dropout
from farm_ray.modeling.prediction_head.base import head_class
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.table import EMBEDDINGS

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedConfig

    from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead, PredictionHead
    from farm_ray.modeling.prediction_head.convertible import ConvertibleHead


@dataclass(frozen=True)
class ModelParts:
    """What an AdaptiveModel is made of."""

    language_model: LanguageModel
    prediction_heads: list[PredictionHead]
    embeds_dropout_prob: float | None
    """Dropout in front of the heads; None: transformers says nothing of it."""
    lm_output_types: list[str]


def parts_of_transformers(name_or_path: str | Path, revision: str | None, task_type: str | None) -> ModelParts:
    """The parts of a transformers model; see `AdaptiveModel.convert_from_transformers`.

    Raises:
        ModelFolderError: When the model is missing or damaged.
        ConfigError: When the task is not available, or the checkpoint holds no head for it.
    """
    if task_type == EMBEDDINGS:
        return ModelParts(LanguageModel.load(name_or_path, revision), [], None, ["per_token", "per_sequence"])
    config = open_config(name_or_path, revision)
    spec = checked_task(name_or_path, config, task_type)
    if spec == LANGUAGE_MODELLING:
        return _masked_lm(name_or_path, config, revision)
    architecture = architecture_for(spec)
    hf_model = architecture.open(name_or_path, config, revision)
    kind = cast("type[ConvertibleHead]", head_class(spec.head))
    head = head_of(hf_model, spec, kind)
    return ModelParts(
        architecture.language_model(LanguageModel, hf_model, name_or_path),
        [head],
        classifier_dropout(hf_model.config, architecture.dropout(hf_model.config)),
        [head.ph_output_type],
    )


def _masked_lm(name_or_path: str | Path, config: PreTrainedConfig, revision: str | None) -> ModelParts:
    lm_head = cast("type[BertLMHead]", head_class(LANGUAGE_MODELLING.head))
    next_sentence = cast("type[NextSentenceHead]", head_class(NEXT_SENTENCE_HEAD))
    heads = trained_lm_heads((lm_head, next_sentence), name_or_path, config, revision=revision)
    # transformers has no dropout in front of these heads.
    return ModelParts(
        LanguageModel.load(name_or_path, revision), [*heads], 0.0, [head.ph_output_type for head in heads]
    )

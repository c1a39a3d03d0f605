"""Between AdaptiveModel and transformers' models with heads: equal weights, equal predictions, both ways."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import FARM_DROPOUT, AdaptiveModel
from farm_ray.modeling.conversion.heads import NER, head_of, token_layout
from farm_ray.modeling.conversion.masked_lm import LM, converted_lm, pretraining_partner, trained_lm_heads
from farm_ray.modeling.conversion.tasks import checked_task
from farm_ray.modeling.conversion.to_transformers import convert_head
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.language_model.loading import (
    from_transformers_classifier,
    from_transformers_token_classifier,
    open_classifier,
    open_config,
    open_token_classifier,
)
from farm_ray.modeling.language_model.pooling import FAMILIES, classifier_dropout
from farm_ray.modeling.prediction_head import BertLMHead, PredictionHead

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from transformers import PreTrainedConfig, PreTrainedModel

logger = logging.getLogger(__name__)


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
            task_type: `text_classification`, `multilabel_text_classification`, `regression`, `ner`, `lm` for a masked
                language model (a BERT pretraining model brings two heads), or `embeddings` for a model without a head;
                None: by the checkpoint. `text_classification` stands for the first three.
            processor: Its tasks are connected with the head.

        Raises:
            ModelFolderError: When the model is missing or damaged.
            ConfigError: When the task is not available, or the checkpoint holds no head for it.
        """
        if task_type == "embeddings":
            language_model = LanguageModel.load(model_name_or_path, revision)
            return AdaptiveModel(language_model, [], FARM_DROPOUT, ["per_token", "per_sequence"], device).eval()
        config = open_config(model_name_or_path, revision)
        task = checked_task(model_name_or_path, config, task_type)
        if task == LM:
            model = _masked_lm(model_name_or_path, config, revision, device)
        else:
            hf_model = _open(model_name_or_path, config, revision, task)
            head = head_of(hf_model, task)
            language_model = _language_model(hf_model, task, model_name_or_path)
            model = AdaptiveModel(language_model, [head], _dropout(hf_model, task), head.ph_output_type, device)
        if processor is not None:
            model.connect_heads_with_processor(processor.tasks, require_labels=False)
        return model.eval()

    @staticmethod
    def convert_to_transformers(adaptive_model: AdaptiveModel) -> list[PreTrainedModel]:
        """One transformers model per head, on the CPU, in eval mode; label names are in `config.id2label`.

        BERT's LM head and next sentence head together become one pretraining model.

        A regression's mean and scale go into its layer: the transformers model gives the number itself. A head of
        more layers than transformers has a place for is left out, and the log says so.

        Raises:
            ConfigError: When transformers has no model with equal predictions for this language model and head.
        """
        converted = []
        partner = pretraining_partner(adaptive_model)
        for head in adaptive_model.prediction_heads:
            assert isinstance(head, PredictionHead)
            if head is partner:
                continue
            if isinstance(head, BertLMHead):
                converted.append(converted_lm(adaptive_model, head, partner))
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


def converted_head(model_name_or_path: str | Path, model_type: str, *, revision: str | None = None) -> PredictionHead:
    """The head of a transformers model, of the kind with this `model_type`, with its label names.

    Raises:
        ModelFolderError: When the model is missing or damaged.
        ConfigError: When it has no such head.
    """
    config = open_config(model_name_or_path, revision)
    task = checked_task(model_name_or_path, config, model_type)
    head = head_of(_open(model_name_or_path, config, revision, task), task)
    if head.model_type != model_type:
        raise ConfigError(f'"{model_name_or_path}" holds a {task} head; take {type(head).__name__}.load')
    return head


def _open(name_or_path: str | Path, config: PreTrainedConfig, revision: str | None, task: str) -> PreTrainedModel:
    opened = open_token_classifier if task == NER else open_classifier
    return opened(name_or_path, config, revision)


def _masked_lm(
    name_or_path: str | Path, config: PreTrainedConfig, revision: str | None, device: str | torch.device
) -> AdaptiveModel:
    heads = trained_lm_heads(name_or_path, config, revision=revision)
    language_model = LanguageModel.load(name_or_path, revision)
    # transformers has no dropout in front of these heads.
    return AdaptiveModel(language_model, heads, 0.0, [head.ph_output_type for head in heads], device)


def _language_model(hf_model: PreTrainedModel, task: str, name_or_path: str | Path) -> LanguageModel:
    inner = from_transformers_token_classifier if task == NER else from_transformers_classifier
    return inner(LanguageModel, hf_model, name_or_path)


def _dropout(hf_model: PreTrainedModel, task: str) -> float:
    config = hf_model.config
    if task == NER:
        return classifier_dropout(config, token_layout(config).dropout)
    return classifier_dropout(config, FAMILIES[config.model_type].layout.dropout)

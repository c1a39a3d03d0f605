"""The weights of an AdaptiveModel as files that transformers' own classes open, with its head."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from farm_ray.errors import ConfigError
from farm_ray.modeling.conversion.masked_lm import converted_lm, pretraining_partner
from farm_ray.modeling.conversion.to_transformers import convert_head
from farm_ray.modeling.language_model.families import CLASSES
from farm_ray.modeling.language_model.saving import encoder_pooler, save_language_model, save_weights
from farm_ray.modeling.prediction_head.base import PredictionHead
from farm_ray.overrides import is_ours, report_once
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel

    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.prediction_head import BertLMHead

logger = logging.getLogger(__name__)


def save_for_transformers(model: AdaptiveModel, folder: Path, *, pooling_is_trained: bool, each_head: bool) -> None:
    """Writes the language model, with the head where there is one that transformers has.

    With several heads the folder itself opens as an encoder, and `prediction_head_{i}/` with head number i.

    Args:
        model: What is saved.
        folder: Where to.
        pooling_is_trained: Something has read, and so trained, the row vectors.
        each_head: With several heads write their folders, each with a copy of the encoder.
    """
    partner = pretraining_partner(model)
    numbers = [number for number, head in enumerate(model.prediction_heads) if head is not partner]
    alone = _with_head(model, numbers[0]) if len(numbers) == 1 else None
    save_language_model(model.language_model, folder, with_head=alone, pooling_is_trained=pooling_is_trained)
    for number in numbers if each_head and len(numbers) > 1 else ():
        with_head = _with_head(model, number)
        if with_head is not None:
            own = folder / f"prediction_head_{number}"
            own.mkdir()
            save_weights(with_head, own, encoder_pooler(model.language_model))


def _with_head(model: AdaptiveModel, number: int) -> PreTrainedModel | None:
    """The transformers model with this head, which shares its tensors; None where none gives equal answers."""
    head = model.prediction_heads[number]
    assert isinstance(head, PredictionHead)
    if not is_ours(type(head)) or type(model.language_model) not in CLASSES.values():
        told = f"transformers does not have what {type(head).__name__} does; the saved model opens here only"
        report_once(told, logging.INFO)
        return None
    try:
        if head.model_type == LANGUAGE_MODELLING.head_type:
            return converted_lm(model, cast("BertLMHead", head), pretraining_partner(model), shared=True)
        return convert_head(model, head, shared=True)
    except ConfigError as error:
        logger.info("the saved model opens here only: %s", error)
        return None

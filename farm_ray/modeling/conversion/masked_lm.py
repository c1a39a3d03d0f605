"""The heads of pretraining, to and from transformers: which class, which layers, and where the weights are."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, cast

import torch
from transformers import AutoModelForMaskedLM, BertForPreTraining, PreTrainedConfig, PreTrainedModel

from farm_ray.errors import ConfigError
from farm_ray.modeling.conversion.encoders import around_encoder
from farm_ray.modeling.language_model.loading import open_config, open_with_head
from farm_ray.modeling.language_model.masked_lm import MASKED_LMS, MaskedLMLayout
from farm_ray.overrides import is_ours
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead

logger = logging.getLogger(__name__)

NEXT_SENTENCE_HEAD = "NextSentenceHead"
_NEXT_SENTENCE = "cls.seq_relationship"
_WITH_NEXT_SENTENCE = ("bert",)
"""Model types whose pretraining model reads the encoder's own pooler for the next sentence."""
_ONE_LAYER = 2
"""Widths of a head of one layer: in and out."""


def load_lm_head(kind: type[BertLMHead], name_or_path: str | Path, *, revision: str | None = None) -> BertLMHead:
    """The head of transformers' masked language model; a fresh one, told in the log, where the checkpoint has none.

    Raises:
        ModelFolderError: When a file is missing or damaged.
        ConfigError: When transformers has no such model of this type.
    """
    head, came_along = _lm_head(kind, name_or_path, open_config(name_or_path, revision), revision)
    if not came_along:
        logger.warning('"%s" has no head for a masked language model; a BertLMHead starts afresh', name_or_path)
    return head


def trained_lm_heads(
    kinds: tuple[type[BertLMHead], type[NextSentenceHead]],
    name_or_path: str | Path,
    config: PreTrainedConfig,
    *,
    revision: str | None = None,
) -> list[BertLMHead | NextSentenceHead]:
    """The heads of a masked language model, or of BERT's pretraining model, which has two.

    Raises:
        ConfigError: When the checkpoint has no head for a masked language model.
    """
    head, came_along = _lm_head(kinds[0], name_or_path, config, revision)
    if not came_along:
        architecture = (getattr(config, "architectures", None) or ["no architecture given"])[0]
        raise ConfigError(
            f'"{name_or_path}" ({architecture}) holds no trained lm head; build AdaptiveModel with LanguageModel.load '
            "and BertLMHead.load, which starts one afresh",
            code="no-trained-head",
            file=name_or_path,
        )
    next_sentence = _next_sentence_head(kinds[1], name_or_path, config, revision)
    return [head] if next_sentence is None else [head, next_sentence]


def load_next_sentence_head(
    kind: type[NextSentenceHead], name_or_path: str | Path, *, revision: str | None = None
) -> NextSentenceHead:
    """The head of BERT's pretraining model; a fresh one, told in the log, where the checkpoint has none.

    Raises:
        ModelFolderError: When a file is missing or damaged.
    """
    config = open_config(name_or_path, revision)
    head = _next_sentence_head(kind, name_or_path, config, revision)
    if head is not None:
        return head
    logger.warning('"%s" has no head for the next sentence; a NextSentenceHead starts afresh', name_or_path)
    return kind(layer_dims=[config.hidden_size, 2])


def converted_lm(
    adaptive_model: AdaptiveModel,
    head: BertLMHead,
    next_sentence: NextSentenceHead | None = None,
    *,
    shared: bool = False,
) -> PreTrainedModel:
    """Transformers' masked language model with equal weights; with `next_sentence` its pretraining model.

    Args:
        adaptive_model: Whose language model is taken.
        head: Its LM head.
        next_sentence: Its head for the next sentence, see `pretraining_partner`.
        shared: As for `around_encoder`.

    Raises:
        ConfigError: When transformers has no model with equal logits for this language model and head.
    """
    encoder = adaptive_model.language_model.model
    config = copy.deepcopy(encoder.config)
    config.tie_word_embeddings = True
    config.language = adaptive_model.get_language()
    layout = _layout(config)
    _check_layers(head, layout, config)

    def build() -> PreTrainedModel:
        if next_sentence is None:
            return AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
        return BertForPreTraining._from_config(config, dtype=torch.float32)  # noqa: SLF001 - as AutoModel does

    layers = {layout.dense: head.dense, layout.norm: head.LayerNorm}
    if next_sentence is not None:
        layers[_NEXT_SENTENCE] = next_sentence.feed_forward.feed_forward[0]
    weights = {
        f"{path}.{name}": weight for path, layer in layers.items() for name, weight in layer.state_dict().items()
    }
    return around_encoder(build, encoder, {**weights, layout.bias: head.bias.detach()}, shared=shared)


def pretraining_partner(adaptive_model: AdaptiveModel) -> NextSentenceHead | None:
    """The next sentence head that goes into one transformers model together with the LM head; None where none does."""
    language_model = adaptive_model.language_model
    if language_model.model.config.model_type not in _WITH_NEXT_SENTENCE or language_model.pooling.source != "encoder":
        return None
    kinds = [type(head).__name__ for head in adaptive_model.prediction_heads if is_ours(type(head))]
    if kinds.count(LANGUAGE_MODELLING.head) != 1 or kinds.count(NEXT_SENTENCE_HEAD) != 1:
        return None
    heads = list(adaptive_model.prediction_heads)
    head = next(head for head in heads if type(head).__name__ == NEXT_SENTENCE_HEAD)
    return cast("NextSentenceHead", head) if len(head.layer_dims) == _ONE_LAYER else None


def _layout(config: PreTrainedConfig) -> MaskedLMLayout:
    if config.model_type not in MASKED_LMS:
        raise ConfigError(
            f'transformers has no masked language model of type "{config.model_type}" that can be converted; the types '
            f"that can are {', '.join(sorted(MASKED_LMS))}",
            code="model-type-not-convertible",
            value=config.model_type,
        )
    return MASKED_LMS[config.model_type](config)


def _lm_head(
    kind: type[BertLMHead], name_or_path: str | Path, config: PreTrainedConfig, revision: str | None
) -> tuple[BertLMHead, bool]:
    """The head, and whether the checkpoint had one."""
    layout = _layout(config)
    parts = (layout.dense, layout.norm, layout.bias)
    hf_model, came_along = open_with_head(AutoModelForMaskedLM, name_or_path, config, revision, head=parts)
    rows = len(cast("nn.Embedding", hf_model.get_input_embeddings()).weight)
    head = kind(config.hidden_size, rows, **layout.settings())
    if came_along:
        _check_tied(hf_model, layout, name_or_path)
        head.dense.load_state_dict(_layer(hf_model, layout.dense).state_dict())
        head.LayerNorm.load_state_dict(_layer(hf_model, layout.norm).state_dict())
        with torch.no_grad():
            head.bias.copy_(hf_model.get_parameter(layout.bias))
    return head, came_along


def _next_sentence_head(
    kind: type[NextSentenceHead], name_or_path: str | Path, config: PreTrainedConfig, revision: str | None
) -> NextSentenceHead | None:
    if config.model_type not in _WITH_NEXT_SENTENCE:
        return None
    head = kind(layer_dims=[config.hidden_size, 2])
    hf_model, came_along = open_with_head(BertForPreTraining, name_or_path, config, revision, head=[_NEXT_SENTENCE])
    if not came_along:
        return None
    head.feed_forward.feed_forward[0].load_state_dict(_layer(hf_model, _NEXT_SENTENCE).state_dict())
    return head


def _check_tied(hf_model: PreTrainedModel, layout: MaskedLMLayout, name_or_path: str | Path) -> None:
    embeddings = cast("nn.Embedding", hf_model.get_input_embeddings())
    if layout.decoder is not None and not torch.equal(_weight(hf_model, layout.decoder), embeddings.weight):
        raise ConfigError(
            f'"{name_or_path}" predicts tokens with other weights than its word embeddings (tie_word_embeddings is '
            "off); a BertLMHead shares them, so it cannot take that head",
            code="embeddings-not-tied",
            file=name_or_path,
        )


def _check_layers(head: BertLMHead, layout: MaskedLMLayout, config: PreTrainedConfig) -> None:
    theirs = layout.settings()
    ours = {name: getattr(head, name) for name in theirs}
    other = [f"{name}={ours[name]!r}, not {value!r}" for name, value in theirs.items() if ours[name] != value]
    if other:
        raise ConfigError(
            f"transformers' masked language model of type {config.model_type} computes something else than the head of "
            f'task "{head.task_name}", which has {" and ".join(other)}; a head that can be converted is '
            "BertLMHead.for_language_model(language_model)",
            code="head-not-convertible",
            value=config.model_type,
            task=head.task_name,
        )


def _weight(hf_model: PreTrainedModel, path: str) -> torch.Tensor:
    return hf_model.get_parameter(f"{path}.weight")


def _layer(hf_model: PreTrainedModel, path: str) -> nn.Module:
    return hf_model.get_submodule(path)

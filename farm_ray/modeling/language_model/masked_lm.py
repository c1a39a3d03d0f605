"""What stands between token vectors and the vocabulary in transformers' masked language models, by model type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedConfig

    from farm_ray.plain import PlainDict


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskedLMLayout:
    """A dense layer, an activation and a layer norm; then the word embeddings, turned around, and a bias per token."""

    dense: str
    """Path of the layer hidden -> width of the word embeddings."""
    norm: str
    """Path of the layer norm behind the activation."""
    bias: str
    """Path of the bias of each token."""
    decoder: str | None
    """Path of the layer in front of the vocabulary; None: the word embeddings themselves stand there."""
    activation: str
    """Name in transformers' table."""
    norm_eps: float
    width: int
    """Width of the word embeddings."""
    dense_bias: bool = True
    norm_bias: bool = True

    def settings(self) -> PlainDict:
        """The arguments of a `BertLMHead` that computes the same."""
        return {
            "hidden_act": self.activation,
            "embedding_size": self.width,
            "layer_norm_eps": self.norm_eps,
            "dense_bias": self.dense_bias,
            "norm_bias": self.norm_bias,
        }


def _bert(config: PreTrainedConfig) -> MaskedLMLayout:
    return MaskedLMLayout(
        dense="cls.predictions.transform.dense",
        norm="cls.predictions.transform.LayerNorm",
        bias="cls.predictions.bias",
        decoder="cls.predictions.decoder",
        activation=config.hidden_act,
        norm_eps=config.layer_norm_eps,
        width=config.hidden_size,
    )


def _roberta(config: PreTrainedConfig) -> MaskedLMLayout:
    return MaskedLMLayout(
        dense="lm_head.dense",
        norm="lm_head.layer_norm",
        bias="lm_head.bias",
        decoder="lm_head.decoder",
        activation="gelu",
        norm_eps=config.layer_norm_eps,
        width=config.hidden_size,
    )


def _albert(config: PreTrainedConfig) -> MaskedLMLayout:
    return MaskedLMLayout(
        dense="predictions.dense",
        norm="predictions.LayerNorm",
        bias="predictions.bias",
        decoder="predictions.decoder",
        activation=config.hidden_act,
        norm_eps=config.layer_norm_eps,
        width=config.embedding_size,
    )


def _electra(config: PreTrainedConfig) -> MaskedLMLayout:
    return MaskedLMLayout(
        dense="generator_predictions.dense",
        norm="generator_predictions.LayerNorm",
        bias="generator_lm_head.bias",
        decoder="generator_lm_head",
        activation="gelu",
        norm_eps=config.layer_norm_eps,
        width=config.embedding_size,
    )


def _distilbert(config: PreTrainedConfig) -> MaskedLMLayout:
    return MaskedLMLayout(
        dense="vocab_transform",
        norm="vocab_layer_norm",
        bias="vocab_projector.bias",
        decoder="vocab_projector",
        activation=config.activation,
        norm_eps=1e-12,
        width=config.dim,
    )


def _deberta(config: PreTrainedConfig) -> MaskedLMLayout:
    legacy = getattr(config, "legacy", True)
    before = "cls.predictions" if legacy else "lm_predictions.lm_head"
    transform = f"{before}.transform" if legacy else before
    return MaskedLMLayout(
        dense=f"{transform}.dense",
        norm=f"{transform}.LayerNorm",
        bias=f"{before}.bias",
        decoder=f"{before}.decoder" if legacy else None,
        activation=config.hidden_act,
        norm_eps=config.layer_norm_eps,
        width=getattr(config, "embedding_size", config.hidden_size) if legacy else config.hidden_size,
    )


def _modernbert(config: PreTrainedConfig) -> MaskedLMLayout:
    return MaskedLMLayout(
        dense="head.dense",
        norm="head.norm",
        bias="decoder.bias",
        decoder="decoder",
        activation=config.classifier_activation,
        norm_eps=config.norm_eps,
        width=config.hidden_size,
        dense_bias=config.classifier_bias,
        norm_bias=config.norm_bias,
    )


MASKED_LMS: dict[str, Callable[[PreTrainedConfig], MaskedLMLayout]] = {
    "bert": _bert,
    "big_bird": _bert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "camembert": _roberta,
    "albert": _albert,
    "electra": _electra,
    "distilbert": _distilbert,
    "deberta-v2": _deberta,
    "modernbert": _modernbert,
}
"""By transformers' `model_type`. XLNet predicts in another way, and has no such model."""

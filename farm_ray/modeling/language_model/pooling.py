"""From the vectors of a row's tokens to one vector per row, and where transformers keeps the weights of that step.

Shapes: B rows in the batch, T tokens of the longest row, H width of the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from farm_ray.configuration import Config, nearest
from farm_ray.errors import ConfigError
from farm_ray.foreign import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from transformers import PreTrainedConfig

    from farm_ray.plain import PlainDict

DEFAULT_INITIALIZER_RANGE = 0.02


class Pooling(Config):
    """How one vector per row is taken; stored in `language_model_config.json`."""

    source: Literal["encoder", "first", "last", "mean"] = "encoder"
    """encoder: the encoder's own pooler; else the first token, the last real token, or the mean of the real tokens."""
    projection: bool = False
    """A linear layer H -> H that belongs to the pooling, trained and saved with it."""
    bias: bool = True
    """The projection has a bias."""
    activation: str | None = None
    """Name of an activation in transformers' table; None applies none."""
    norm_eps: float | None = None
    """Epsilon of a layer norm after the activation; None: no norm."""
    norm_bias: bool = True
    """The norm has a bias."""
    dropout: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of values dropped before the projection, while training."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassifierLayout:
    """Where transformers' sequence classification model of one type keeps what we keep in pooling and head."""

    pooling: Mapping[str, str] = field(default_factory=dict)
    """Part of `Pooler` -> path of the same part in the transformers model."""
    classifier: str = "classifier"
    """Path of the linear layer H -> labels."""
    dropout: str = "classifier_dropout"
    """Field of the configuration with the dropout before that layer."""


def _one_layer(_: PreTrainedConfig) -> PlainDict:
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenClassifierLayout:
    """Where transformers' token classification model of one type keeps what we keep in the head."""

    layers: tuple[str, ...] = ("classifier",)
    """Paths of the layers with weights, from the token vectors to the labels."""
    hidden: Callable[[PreTrainedConfig], PlainDict] = _one_layer
    """`activation` and `hidden_layers` of a `TokenClassificationHead` with these layers; empty: it has one layer."""
    dropout: str | None = "classifier_dropout"
    """Field of the configuration with the dropout before these layers; None: there is none of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """What differs between model types: the pooling that transformers' classifier uses, and its layouts."""

    pooling: Callable[[PreTrainedConfig], Pooling]
    layout: ClassifierLayout = field(default_factory=ClassifierLayout)
    tokens: TokenClassifierLayout = field(default_factory=TokenClassifierLayout)


class Pooler(nn.Module):
    """Applies a `Pooling`."""

    def __init__(
        self, pooling: Pooling, hidden_size: int, initializer_range: float = DEFAULT_INITIALIZER_RANGE
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = nn.Dropout(pooling.dropout)
        self.dense: nn.Linear | None = None
        self.norm: nn.LayerNorm | None = None
        if pooling.projection:
            self.dense = fresh_linear(hidden_size, hidden_size, bias=pooling.bias, initializer_range=initializer_range)
        if pooling.norm_eps is not None:
            self.norm = nn.LayerNorm(hidden_size, eps=pooling.norm_eps, bias=pooling.norm_bias)
        self.activation = activation_by_name(pooling.activation)

    def forward(self, sequence_BTH: Tensor, padding_mask_BT: Tensor | None, encoder_pooled_BH: Tensor | None) -> Tensor:
        """One vector per row, [B, H].

        Args:
            sequence_BTH: The encoder's last hidden states.
            padding_mask_BT: 1 for real tokens, 0 for padding; None: all are real.
            encoder_pooled_BH: The output of the encoder's own pooler, used where `source` is `encoder`.
        """
        if self.pooling.source == "encoder":
            assert encoder_pooled_BH is not None, "the encoder has no pooler of its own"
            return encoder_pooled_BH
        pooled = self.dropout(_take(self.pooling.source, sequence_BTH, padding_mask_BT))
        if self.dense is not None:
            pooled = self.dense(pooled)
        pooled = self.activation(pooled)
        return pooled if self.norm is None else self.norm(pooled)


def fresh_linear(
    inputs: int, outputs: int, *, bias: bool = True, initializer_range: float = DEFAULT_INITIALIZER_RANGE
) -> nn.Linear:
    """A linear layer with normal weights (standard deviation `initializer_range`) and a bias of zeros."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.normal_(layer.weight, std=initializer_range)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def activation_by_name(name: str | None) -> nn.Module:
    """The activation with this name in transformers' table; None: the identity.

    Raises:
        ConfigError: When there is none; the nearest is named.
    """
    from transformers.activations import ACT2FN

    if name is not None and name not in ACT2FN:
        raise ConfigError(
            f"there is no activation {quoted(name)}{nearest(name, ACT2FN)}", code="unknown-activation", value=name
        )
    return nn.Identity() if name is None else ACT2FN[name]


def _take(source: str, sequence_BTH: Tensor, padding_mask_BT: Tensor | None) -> Tensor:
    if source == "first":
        return sequence_BTH[:, 0]
    if padding_mask_BT is None:
        return sequence_BTH[:, -1] if source == "last" else sequence_BTH.mean(dim=1)
    if source == "mean":
        return (sequence_BTH * padding_mask_BT.unsqueeze(-1)).sum(dim=1) / padding_mask_BT.sum(dim=1, keepdim=True)
    positions_T = torch.arange(sequence_BTH.shape[1], device=sequence_BTH.device)
    last_B = (positions_T * padding_mask_BT.bool()).argmax(dim=1)
    return sequence_BTH[torch.arange(len(last_B), device=last_B.device), last_B]


def _encoder_pooler(_: PreTrainedConfig) -> Pooling:
    return Pooling()


def _first_dense(activation: str) -> Callable[[PreTrainedConfig], Pooling]:
    def pooling(config: PreTrainedConfig) -> Pooling:
        return Pooling(source="first", projection=True, activation=activation, dropout=classifier_dropout(config))

    return pooling


def _distilbert(_: PreTrainedConfig) -> Pooling:
    return Pooling(source="first", projection=True, activation="relu")


def _big_bird(config: PreTrainedConfig) -> Pooling:
    return _first_dense(config.hidden_act)(config)


def _deberta(config: PreTrainedConfig) -> Pooling:
    activation = config.pooler_hidden_act
    return Pooling(source="first", projection=True, activation=activation, dropout=float(config.pooler_dropout))


def _xlnet(config: PreTrainedConfig) -> Pooling:
    source: Any = config.summary_type if config.summary_type in {"first", "last", "mean"} else "last"
    return Pooling(source=source, projection=config.summary_use_proj, activation=config.summary_activation)


def _modernbert(config: PreTrainedConfig) -> Pooling:
    return Pooling(
        source="mean" if config.classifier_pooling == "mean" else "first",
        projection=True,
        bias=config.classifier_bias,
        activation=config.classifier_activation,
        norm_eps=config.norm_eps,
        norm_bias=config.norm_bias,
    )


def token_pooling(config: PreTrainedConfig) -> Pooling:
    """The pooling for the encoder of a token classification model, which brings no weights for one."""
    source = FAMILIES[config.model_type].pooling(config).source
    return Pooling(source="first" if source == "encoder" else source)


def _modernbert_tokens(config: PreTrainedConfig) -> PlainDict:
    hidden = {"bias": config.classifier_bias, "norm_eps": config.norm_eps, "norm_bias": config.norm_bias}
    return {"activation": config.classifier_activation, "hidden_layers": hidden}


def classifier_dropout(config: PreTrainedConfig, name: str | None = "classifier_dropout") -> float:
    """The dropout before the classifier: the named field, else the encoder's, else 0.1."""
    for field_name in (name or "", "hidden_dropout_prob", "dropout"):
        rate = getattr(config, field_name, None)
        if rate is not None:
            return float(rate)
    return 0.1


_DENSE_AND_OUT = ClassifierLayout(pooling={"dense": "classifier.dense"}, classifier="classifier.out_proj")
_ROBERTA = Family(pooling=_first_dense("tanh"), layout=_DENSE_AND_OUT)

FAMILIES: dict[str, Family] = {
    "bert": Family(pooling=_encoder_pooler),
    "albert": Family(
        pooling=_encoder_pooler,
        layout=ClassifierLayout(dropout="classifier_dropout_prob"),
        tokens=TokenClassifierLayout(dropout="classifier_dropout_prob"),
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": Family(pooling=_first_dense("gelu"), layout=_DENSE_AND_OUT),
    "big_bird": Family(pooling=_big_bird, layout=_DENSE_AND_OUT),
    "distilbert": Family(
        pooling=_distilbert,
        layout=ClassifierLayout(pooling={"dense": "pre_classifier"}, dropout="seq_classif_dropout"),
        tokens=TokenClassifierLayout(dropout=None),
    ),
    "deberta-v2": Family(
        pooling=_deberta,
        layout=ClassifierLayout(pooling={"dense": "pooler.dense"}, dropout="cls_dropout"),
        tokens=TokenClassifierLayout(dropout=None),
    ),
    "modernbert": Family(
        pooling=_modernbert,
        layout=ClassifierLayout(pooling={"dense": "head.dense", "norm": "head.norm"}),
        tokens=TokenClassifierLayout(layers=("head.dense", "head.norm", "classifier"), hidden=_modernbert_tokens),
    ),
    "xlnet": Family(
        pooling=_xlnet,
        layout=ClassifierLayout(
            pooling={"dense": "sequence_summary.summary"}, classifier="logits_proj", dropout="summary_last_dropout"
        ),
        tokens=TokenClassifierLayout(dropout=None),
    ),
}
"""By transformers' `model_type`. A type that is not here works too (`default_pooling`), but cannot be converted."""

FARM_POOLINGS: dict[str, Pooling] = {
    "DistilBert": Pooling(source="first", activation="tanh"),
    "Electra": Pooling(source="first", activation="gelu"),
    "XLNet": Pooling(source="last", projection=True, activation="tanh"),
}
"""What FARM 0.8 did, by its class name; every class that is not here used the encoder's own pooler."""


def default_pooling(config: PreTrainedConfig, *, encoder_has_pooler: bool, causal: bool) -> Pooling:
    """The pooling of a model from transformers.

    For types outside of `FAMILIES`: the encoder's own pooler where it has one, else the first token as it is, or the
    last real token where tokens see only what stands left of them.
    """
    if config.model_type in FAMILIES:
        return FAMILIES[config.model_type].pooling(config)
    if encoder_has_pooler:
        return Pooling()
    return Pooling(source="last" if causal else "first")

"""The heads of transformers' models as ours: which class, which layers, and where the weights are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from farm_ray.modeling.language_model.pooling import FAMILIES, TokenClassifierLayout
from farm_ray.modeling.prediction_head import (
    MultiLabelTextClassificationHead,
    PredictionHead,
    RegressionHead,
    TextClassificationHead,
    TokenClassificationHead,
)

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedConfig, PreTrainedModel

NER = "ner"
HEAD_BY_TASK: dict[str, type[PredictionHead]] = {
    "text_classification": TextClassificationHead,
    "multilabel_text_classification": MultiLabelTextClassificationHead,
    "regression": RegressionHead,
    NER: TokenClassificationHead,
}
PROBLEM_TYPE = {
    "text_classification": "single_label_classification",
    "multilabel_text_classification": "multi_label_classification",
    "regression": "regression",
}
"""A head's model type -> `problem_type` in transformers' configuration; it has none for tokens."""

THRESHOLD = "pred_threshold"
"""Our setting that a multilabel model's configuration takes along."""


def head_of(hf_model: PreTrainedModel, task: str) -> PredictionHead:
    """The head of a transformers model with copies of its weights and with its label names.

    Args:
        hf_model: A sequence or token classification model.
        task: A key of `HEAD_BY_TASK`.
    """
    layers = [hf_model.get_submodule(path) for path in layer_paths(hf_model.config, task)]
    labels = cast("nn.Linear", layers[-1]).out_features
    head = _fresh_head(hf_model.config, task, labels)
    for ours, theirs in zip(layers_of(head), layers, strict=True):
        ours.load_state_dict(theirs.state_dict())
    if not isinstance(head, RegressionHead):
        names: Any = hf_model.config.id2label
        head.label_list = [str(names[label_id]) for label_id in range(labels)]
    return head


def _fresh_head(config: PreTrainedConfig, task: str, labels: int) -> PredictionHead:
    if task == NER:
        return TokenClassificationHead(layer_dims=token_widths(config, labels), **token_layout(config).hidden(config))
    widths = [config.hidden_size, labels]
    if task == "multilabel_text_classification":
        return MultiLabelTextClassificationHead(layer_dims=widths, pred_threshold=getattr(config, THRESHOLD, 0.5))
    return RegressionHead(layer_dims=widths) if task == "regression" else TextClassificationHead(layer_dims=widths)


def layer_paths(config: PreTrainedConfig, task: str) -> tuple[str, ...]:
    """Paths of the head's layers with weights in the transformers model, from vectors to labels."""
    if task == NER:
        return token_layout(config).layers
    return (FAMILIES[config.model_type].layout.classifier,)


def layers_of(head: PredictionHead) -> list[nn.Module]:
    """The head's layers with weights, in the same order."""
    return [layer for layer in head.feed_forward.feed_forward if any(True for _ in layer.parameters())]


def token_layout(config: PreTrainedConfig) -> TokenClassifierLayout:
    """The layout of this type's token classification model."""
    return FAMILIES[config.model_type].tokens


def token_widths(config: PreTrainedConfig, labels: int) -> list[int]:
    """`layer_dims` of a token head with the layers that transformers has."""
    hidden = 1 if token_layout(config).hidden(config) else 0
    return [config.hidden_size] * (1 + hidden) + [labels]

"""Schemas of the JSON files that a saved model has beside transformers' own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from farm_ray.saved import Count, Finite, Labels, Number, Saved, Width

OutputType = Literal["per_token", "per_token_squad", "per_sequence", "per_sequence_continuous"]


class SavedModel(Saved):
    """`adaptive_model_config.json`."""

    embeds_dropout_prob: Annotated[float, Field(ge=0, lt=1)] = 0.0
    lm_output_types: OutputType | list[OutputType] = "per_sequence"
    prediction_heads: Count = 0


class SavedLanguageModel(Saved):
    """`language_model_config.json`; FARM's holds the transformers configuration too."""

    name: str = ""
    language: str | None = None
    model_type: str | None = None
    pooling: dict[str, Any] | None = None


class SavedConfig(Saved):
    """What is read of transformers' `config.json` before transformers reads it."""

    model_type: str | None = None
    architectures: list[str] | None = None
    id2label: dict[str, str] | None = None
    label2id: dict[str, Number] | None = None
    problem_type: str | None = None
    language: str | None = None


class SavedHead(Saved):
    """`prediction_head_{i}_config.json`."""

    name: str
    task_name: str = ""
    layer_dims: Annotated[list[Width], Field(min_length=2, max_length=100)] | None = None
    num_labels: Width | None = None
    label_list: Labels | None = None
    label_tensor_name: str | None = None
    metric: str | list[Any] | None = None
    class_weights: list[Finite] | None = None
    activation: str | None = None
    hidden_layers: dict[str, bool | Finite | None] | None = None
    loss_ignore_index: Number | None = None
    loss_reduction: str | None = None
    pred_threshold: Finite | None = None
    hidden_size: Width | None = None
    vocab_size: Width | None = None
    embedding_size: Width | None = None
    hidden_act: str | None = None
    layer_norm_eps: Finite | None = None
    dense_bias: bool | None = None
    norm_bias: bool | None = None

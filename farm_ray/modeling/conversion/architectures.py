"""transformers' models with a head for rows and for tokens: how each is opened, and where its layers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from farm_ray.modeling.language_model.loading import (
    from_transformers_classifier,
    from_transformers_token_classifier,
    open_classifier,
    open_token_classifier,
)
from farm_ray.modeling.language_model.pooling import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.tasks.spec import TaskSpec


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One of transformers' classes with a head."""

    auto_class: Any
    """Makes and opens such models."""
    open: Callable[..., PreTrainedModel]
    """Called with (folder or name, config, revision); the model with its weights, checked."""
    language_model: Callable[..., LanguageModel]
    """Called with (class, model, folder or name); the language model in it."""
    reads_rows: bool
    """The head reads a vector per row, which is pooled as the model's type does it."""
    layers: Callable[[PreTrainedConfig], tuple[str, ...]]
    """Paths of the head's layers with weights, from vectors to labels."""
    hidden: Callable[[PreTrainedConfig], Mapping[str, object]]
    """Settings of the layers before the last one; none where there is one layer."""
    dropout: Callable[[PreTrainedConfig], str | None]
    """Name of the dropout in front of the head, in the configuration."""

    def widths(self, config: PreTrainedConfig, labels: int) -> list[int]:
        """`layer_dims` of a head with the layers that transformers has."""
        return [config.hidden_size] * (2 if self.hidden(config) else 1) + [labels]


def architecture_for(spec: TaskSpec) -> Architecture:
    """The class of transformers for this kind of task, which has one."""
    assert spec.transformers is not None, spec.name
    return ARCHITECTURES[spec.transformers.endings[0]]


ARCHITECTURES = {
    "SequenceClassification": Architecture(
        auto_class=AutoModelForSequenceClassification,
        open=open_classifier,
        language_model=from_transformers_classifier,
        reads_rows=True,
        layers=lambda config: (FAMILIES[config.model_type].layout.classifier,),
        hidden=lambda _: {},
        dropout=lambda config: FAMILIES[config.model_type].layout.dropout,
    ),
    "TokenClassification": Architecture(
        auto_class=AutoModelForTokenClassification,
        open=open_token_classifier,
        language_model=from_transformers_token_classifier,
        reads_rows=False,
        layers=lambda config: FAMILIES[config.model_type].tokens.layers,
        hidden=lambda config: FAMILIES[config.model_type].tokens.hidden(config),
        dropout=lambda config: FAMILIES[config.model_type].tokens.dropout,
    ),
}
"""By the end of the class's name. Masked language models, whose head shares weights, are in `masked_lm`."""

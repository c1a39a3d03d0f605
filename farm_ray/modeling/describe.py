"""What a model is besides its weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.plain import PlainDict

_NOT_THE_ENCODER = frozenset(
    {"_name_or_path", "transformers_version", "architectures", "dtype"}
    | {"finetuning_task", "problem_type", "id2label", "label2id"}
)
"""Entries of a transformers configuration that say where it comes from, or what its heads were, which are not ours."""


def settings_of(model: AdaptiveModel) -> PlainDict:
    """What the weights are used with, as plain values, each under the name that a message gives it.

    What a configuration leaves at the default of its class does not count: a later transformers has more of that. Nor
    does a head's metric, by which nothing is computed.
    """
    lm: Any = model.language_model
    found: PlainDict = {"settings of the language model": [_chosen(lm.model.config), repr(lm.pooler)]}
    heads = list(model.prediction_heads)
    for number, head in enumerate(heads):
        described = {name: value for name, value in head.describe().items() if name != "metric"}
        found[f"labels of head {number}"] = described.pop("label_list")
        found[f"settings of head {number}"] = described
    return found | {"lm_output_types": list(model.lm_output_types)}


def _chosen(config: Any) -> PlainDict:
    """The entries of a transformers configuration that are not the defaults of its class."""
    usual = type(config)().to_dict()
    values = {name: value for name, value in config.to_dict().items() if name not in _NOT_THE_ENCODER}
    return {name: value for name, value in values.items() if name not in usual or usual[name] != value}


def training_settings_of(model: AdaptiveModel) -> PlainDict:
    """What a model is trained with besides: dropout before the heads, and which weights stay as they are."""
    frozen = sorted(name for name, weight in model.named_parameters() if not weight.requires_grad)
    return {"embeds_dropout_prob": model.embeds_dropout_prob, "frozen weights": frozen}


def settings_bytes(model: AdaptiveModel) -> bytes:
    """The same as JSON: equal bytes, equal settings."""
    return json.dumps(settings_of(model), sort_keys=True, default=str).encode()

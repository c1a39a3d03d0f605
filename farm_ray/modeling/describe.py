"""What a model is besides its weights."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farm_ray.modeling.adaptive_model import AdaptiveModel

_WHERE_FROM = frozenset({"_name_or_path", "transformers_version"})
"""Entries of a transformers configuration that say where it comes from, not what it is."""


def settings_of(model: AdaptiveModel) -> list[Any]:
    """The settings of the language model, of its pooler and of each head, as plain values."""
    encoder: Any = model.language_model.model
    kept = {name: value for name, value in encoder.config.to_dict().items() if name not in _WHERE_FROM}
    heads: list[Any] = list(model.prediction_heads)
    return [kept, repr(model.language_model.pooler), *(head.describe() for head in heads)]


def settings_bytes(model: AdaptiveModel) -> bytes:
    """The same as JSON: equal bytes, equal settings."""
    return json.dumps(settings_of(model), sort_keys=True, default=str).encode()


def settings_checksum(model: AdaptiveModel) -> str:
    """sha256 over the settings, 64 hex digits."""
    return hashlib.sha256(settings_bytes(model)).hexdigest()

"""Which language model class a name or a model type stands for. Knows no class: callers bring the base of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.overrides import imported_subclasses

if TYPE_CHECKING:
    from farm_ray.modeling.language_model.base import LanguageModel

_ANY = "Encoder"
"""The class for model types that have none of their own."""


def class_by_name(base: type[LanguageModel], name: str) -> type[LanguageModel]:
    """The class with this name: one of ours, else a subclass that has been imported.

    Raises:
        ConfigError: When there is none; the nearest is named.
    """
    known = imported_subclasses(base)
    if name not in known:
        hint = f"{nearest(name, known)}; import the module that defines a class of your own first"
        raise ConfigError(f'there is no language model class "{name}"{hint}', code="unknown-class", value=name)
    return known[name]


def class_by_model_type(base: type[LanguageModel], model_type: str) -> type[LanguageModel]:
    """The class of ours for transformers' `model_type`; `Encoder` where there is no special one."""
    known = imported_subclasses(base)
    ours = [kind for kind in known.values() if kind.__module__.startswith("farm_ray.") and kind.model_type is not None]
    return next((kind for kind in ours if kind.model_type == model_type), known[_ANY])

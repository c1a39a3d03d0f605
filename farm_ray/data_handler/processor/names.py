"""From the class name in a saved configuration to the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_OF_FARM = frozenset(
    {
        "NaturalQuestionsProcessor",
        "SquadProcessor",
        "TextSimilarityProcessor",
    }
)


def class_named(name: str, known: Mapping[str, type[T]]) -> type[T]:
    """The processor class of this name.

    Args:
        name: As a file holds it.
        known: All classes that there are, by name; none is imported for a name.

    Raises:
        ConfigError: When there is none.
    """
    if name in known:
        return known[name]
    if name in _OF_FARM:
        raise ConfigError(
            f"{name} is not available yet in this version of farm_ray", code="not-available-yet", value=name
        )
    hint = nearest(name, known)
    raise ConfigError(
        f'no processor class "{name}"{hint}; import the module that defines it first', code="unknown-class", value=name
    )

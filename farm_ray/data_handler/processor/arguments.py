"""The arguments of a processor class, those of its bases included where it hands `**kwargs` on to them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from farm_ray.configuration import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def arguments_of(kind: type) -> dict[str, inspect.Parameter]:
    """What `kind` takes by name; where a class and its base have an argument of the same name, the class's counts."""
    found: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters
        found = {**parameters, **found}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            break
    return {name: parameter for name, parameter in found.items() if name != "self" and parameter.kind not in _OPEN}


def defaults_of(kind: type) -> dict[str, object]:
    """The values of the arguments that need not be given."""
    arguments = arguments_of(kind)
    return {name: one.default for name, one in arguments.items() if one.default is not one.empty}


def refuse_unknown(kind: type, given: Iterable[str]) -> None:
    """Raises a TypeError for the first name that is no argument of `kind`, with the nearest one."""
    known = arguments_of(kind)
    for name in given:
        if name not in known:
            raise TypeError(f'{kind.__name__} has no argument "{name}"{nearest(name, known)}')

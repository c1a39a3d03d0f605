"""Methods of FARM that users' subclasses override: which ones are, and a clear word where farm_ray never calls them."""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from farm_ray.plain import PlainDict, PlainMapping

T = TypeVar("T")

logger = logging.getLogger(__name__)

_OURS = "farm_ray"


def is_own(kind: type, name: str) -> bool:
    """Whether the method `name` of `kind` is a user's, not farm_ray's own."""
    for base in kind.__mro__:
        if name in vars(base):
            method = inspect.unwrap(getattr(vars(base)[name], "__func__", vars(base)[name]))
            return str(getattr(method, "__module__", None) or base.__module__).partition(".")[0] != _OURS
    return False


def is_ours(kind: type) -> bool:
    """Whether the class is farm_ray's own, not a user's."""
    return kind.__module__.partition(".")[0] == _OURS


def own_among(kind: type, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the method names that are a user's in `kind`, in their order."""
    return tuple(name for name in names if is_own(kind, name))


def refuse_uncalled(kind: type, never_called: Mapping[str, str]) -> None:
    """Raises ConfigError when a subclass overrides a method that would never be called.

    Args:
        kind: The user's class.
        never_called: Names of FARM's methods that farm_ray does not call -> what to write instead.
    """
    for name, instead in never_called.items():
        if is_own(kind, name):
            raise ConfigError(
                f"{kind.__name__}.{name} would never be called: {instead}", code="method-never-called", value=name
            )


def call(method: Callable[..., Any], **given: object) -> Any:
    """Calls a user's method with those of the arguments that it takes; the first one by position, as names differ."""
    (_, first), *others = given.items()
    return method(first, **accepted(method, dict(others)))


def accepted(method: Callable[..., object], given: PlainMapping) -> PlainDict:
    """Those of the arguments that a bound method takes besides its first one."""
    parameters = list(inspect.signature(method).parameters.values())
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return dict(given)
    names = {parameter.name for parameter in parameters[1:]}
    return {name: value for name, value in given.items() if name in names}


def imported_subclasses(kind: type[T]) -> dict[str, type[T]]:
    """All subclasses of a class that have been imported, by name; nothing is imported for it.

    Of several that have one name the one that was defined last, but never a user's in place of one of this package's.
    """
    children = _all_subclasses(kind)
    ours = {child.__name__: child for child in children if child.__module__.partition(".")[0] == _OURS}
    return {child.__name__: child for child in children} | ours


def _all_subclasses(kind: type[T]) -> list[type[T]]:
    return [one for child in kind.__subclasses__() for one in (*_all_subclasses(child), child)]


@functools.cache
def report_once(message: str, level: int = logging.WARNING) -> None:
    """Logs a message the first time that this process meets it."""
    logger.log(level, message)

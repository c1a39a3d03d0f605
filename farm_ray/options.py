"""What a component takes from the configuration in which its options are declared: defaults, checks and values.

An option has its type, constraint, default and docstring in a `Config` beside the component. Experiments hold that
configuration. The component's constructor lists the names in FARM's order; its defaults are those of a value of the
configuration, and it has its arguments checked by building one.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from farm_ray.configuration import from_arguments
from farm_ray.errors import ConfigError
from farm_ray.foreign import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from farm_ray.configuration import Config
    from farm_ray.plain import PlainDict


def fields_for(taker: Callable[..., object], config: Config) -> PlainDict:
    """The fields of a configuration that a function or class has arguments of, by name."""
    return {name: getattr(config, name) for name in type(config).model_fields if name in _arguments(taker)}


@functools.cache
def _arguments(taker: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(taker).parameters)


@contextlib.contextmanager
def arguments_checked(prefix: str = "") -> Iterator[None]:
    """Around the building of a configuration from arguments: what is wrong is told in their words.

    Args:
        prefix: Of the message, such as `EarlyStopping: `.

    Raises:
        ConfigError: For the first argument that is invalid; names it.
    """
    token = from_arguments.set(True)
    try:
        yield
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = ".".join(map(str, problem["loc"][:1]))
        told = f"{prefix}{name} {_wrong(problem)}"
        raise ConfigError(told, code="invalid-value", option=name, value=problem["input"]) from None
    finally:
        from_arguments.reset(token)


def _wrong(problem: Any) -> str:
    """`must be at least 1, not 0`, of an error of pydantic."""
    bounds, given = problem.get("ctx", {}), shown(problem["input"])
    if problem["type"] == "greater_than_equal":
        return f"must be at least {bounds['ge']:g}, not {given}"
    # Of a fraction the bound is a float.
    if problem["type"] == "greater_than" and isinstance(bounds["gt"], int) and bounds["gt"] == 0:
        return f"must be at least 1, not {given}"
    if problem["type"] == "less_than_equal":
        return f"must be at most {bounds['le']:g}, not {given}"
    message = str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    if problem["type"] == "literal_error":
        message = message.replace("'", '"')
    return f"{message}, not {given}" if message.startswith("must be") else f"is invalid: {message}"

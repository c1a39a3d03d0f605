"""The errors farm_ray raises on purpose. Every message says what is wrong, where, and what to do about it."""

from __future__ import annotations

import os
from numbers import Real
from typing import Any, ClassVar, Self, TypeVar

from farm_ray.credentials import redact


class FarmRayError(Exception):
    """Base of all errors that a user can fix; jobs print the message alone and exit with 2.

    Example:
        >>> error = ConfigError('unknown metric "acccc"', code="unknown-metric", value="acccc")
        >>> error.code, error.facts
        ('unknown-metric', {'value': 'acccc'})

    `code` is a stable name of what is wrong, for programs; `facts` (`file`, `row`, `value`, ...) are what the message
    names, as plain values. Neither message nor facts hold the credentials of an address: `***` stands in their place.
    """

    default_code: ClassVar[str] = "error"
    """The code of an error that is raised without one, as code of your own may do."""

    def __init__(self, message: str, *, code: str | None = None, **facts: object) -> None:
        super().__init__(redact(message))
        self.code = code or self.default_code
        self.facts = {name: _plain(value) for name, value in facts.items()}

    def reworded(self, message: str, **facts: object) -> Self:
        """The same error, code and facts included, with another message and more facts."""
        again = _bare(type(self), redact(message))
        again.__dict__.update(self.__dict__)
        again.facts = self.facts | {name: _plain(value) for name, value in facts.items()}
        return again

    def __reduce__(self) -> tuple[object, ...]:
        """Code and facts survive the way from a Ray task to the driver."""
        return _bare, (type(self), str(self)), self.__dict__


E = TypeVar("E", bound=FarmRayError)


def _bare(kind: type[E], message: str) -> E:
    """An error of this class; a subclass may have a constructor of its own, which is not called."""
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    return error


def _plain(value: object) -> Any:
    """The value as any process can read it: numbers, texts, lists of them; the text of anything else."""
    if value is None or isinstance(value, Real):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, str | os.PathLike):
        return redact(os.fsdecode(value))
    return redact(repr(value))


class ConfigError(FarmRayError):
    """An option, argument, name or path that are invalid."""

    default_code = "config"


class DataProblemError(FarmRayError):
    """Input data that cannot be used: a missing file or column, or rows with problems above the allowed share."""

    default_code = "data"


class ModelFolderError(FarmRayError):
    """A model folder that is missing, half-copied or of another kind."""

    default_code = "model-folder"


class CheckpointError(FarmRayError):
    """A checkpoint that is damaged, or that belongs to another run."""

    default_code = "checkpoint"


class ClusterError(FarmRayError):
    """A Ray cluster that cannot be reached or cannot hold the job."""

    default_code = "cluster"

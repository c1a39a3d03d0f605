"""The errors farm_ray raises on purpose. Every message says what is wrong, where, and what to do about it."""

from __future__ import annotations

from typing import Any

from farm_ray.credentials import redact


class FarmRayError(Exception):
    """Base of all errors that a user can fix; jobs print the message alone and exit with 2.

    Facts (`file`, `row`, `value`, ...) are kept in `facts` for programs; the message already names them. Neither
    holds the credentials of an address: `***` stands in their place.
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(redact(message))
        self.facts = {name: redact(value) if isinstance(value, str) else value for name, value in facts.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        """Facts survive the way from a Ray task to the driver."""
        return _rebuild, (type(self), str(self), self.facts)


def _rebuild(kind: type[FarmRayError], message: str, facts: dict[str, Any]) -> FarmRayError:
    return kind(message, **facts)


class ConfigError(FarmRayError):
    """An option, argument, name or path that are invalid."""


class DataProblemError(FarmRayError):
    """Input data that cannot be used: a missing file or column, or rows with problems above the allowed share."""


class ModelFolderError(FarmRayError):
    """A model folder that is missing, half-copied or of another kind."""


class CheckpointError(FarmRayError):
    """A checkpoint that is damaged, or that belongs to another run."""


class ClusterError(FarmRayError):
    """A Ray cluster that cannot be reached or cannot hold the job."""

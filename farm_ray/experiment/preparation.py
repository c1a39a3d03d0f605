"""What gathers the data of a run: a function of the pipeline. Files hold its name only, and no name is imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Prepare:
    """A function by its name `module:function`; two with one name are equal.

    One that was read from a file has no function, and refuses to be called.
    """

    name: str
    function: Callable[[Path], object] | None = field(default=None, compare=False, repr=False)

    def check(self, data_dir: Path) -> None:
        """Raises ConfigError when this is only a name, as the data in `data_dir` cannot be gathered then."""
        if self.function is None:
            raise ConfigError(
                f'{data_dir} has no training or dev file yet, and prepare "{self.name}" is only a name, which is never '
                "imported; give the PIPELINE that declares this function, or the folder that has the files",
                code="data-not-prepared",
                file=str(data_dir),
                value=self.name,
            )

    def __call__(self, data_dir: Path) -> None:
        """Gathers the data in `data_dir`.

        Raises:
            ConfigError: When this is only a name.
        """
        self.check(data_dir)
        assert self.function is not None
        self.function(data_dir)


def as_prepare(value: object) -> object:
    """A function as `Prepare`, a text as one without a function; all else as it is."""
    if isinstance(value, str):
        return Prepare(value)
    if value is None or isinstance(value, Prepare) or not callable(value):
        return value
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", type(value).__name__)
    return Prepare(f"{module}:{name}", value)


def name_of(prepare: object) -> str | None:
    """What is written to a file."""
    return prepare.name if isinstance(prepare, Prepare) else None


def attached(prepare: object, declared: object) -> object:
    """`prepare` with its function, which the pipeline must have declared.

    Args:
        prepare: Of an experiment that a file or flag has changed.
        declared: Of the pipeline's own experiment.

    Raises:
        ConfigError: When `prepare` names something else.
    """
    if prepare is None or prepare == declared:
        return declared if prepare is not None else None
    offered = f'"{name_of(declared)}"' if declared is not None else "none"
    raise ConfigError(
        f'prepare "{name_of(prepare)}" is not a function of the pipeline (it declares {offered}), and no other name is '
        "imported; leave prepare out",
        code="unknown-function",
        value=name_of(prepare),
    )

"""FARM's way to read experiment files: sections and keys as attributes, and lists of values as a grid of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.experiment.farm_config import grid, plain_config
from farm_ray.plain import PlainDict

if TYPE_CHECKING:
    from pathlib import Path


class Section(PlainDict):
    """A dict whose keys are attributes too: `config.general.seed`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def read_config(path: str | Path) -> Section:
    """An experiment file: `config.parameter.epochs` is the value, or the default where the value is null.

    Raises:
        ConfigError: When the file is missing or not such JSON.
    """
    return _sections(plain_config(path))


def unnestConfig(config: PlainDict) -> list[Section]:  # noqa: N802 - FARM's name
    """The runs that lists of values span, all combinations; lists under `task` and of `layer_dims` are values.

    Raises:
        ConfigError: When there are too many.
    """
    return [_sections(run) for run in grid({name: dict(keys) for name, keys in config.items()}, "the configuration")]


def _sections(values: PlainDict) -> Section:
    return Section({name: Section(keys) for name, keys in values.items()})

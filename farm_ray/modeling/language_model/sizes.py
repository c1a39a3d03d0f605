"""Whether weights can be of the sizes that a config.json or an experiment gives, before anything of them is built."""

from __future__ import annotations

import os
import re
import warnings
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.foreign import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import nn

    from farm_ray.plain import PlainMapping

_MOST_LAYERS = 1000
_MOST_LABELS = 1_000_000
_MOST_TABLE_ROWS = 100_000
"""Positions of a model that computes a table of them with Python's numbers."""
_SMALL = 1 << 22
"""Weights that may be missing in the file: heads and poolers."""
_INT64 = 2**63
_FLOAT32 = 4
"""Bytes of a weight."""
_LAYERS = re.compile(r"layer(s|)(_|$)|depth|block(s|)$|stages?$|group(s|_num)$|num_experts")
_WIDTHS = re.compile(
    r"size$|_dim$|^dim$|dims$|heads?$|width|channels?$|n_embd|d_model|d_inner|d_ff|d_kv|embedding|rank$"
)
_TABLES = ("sinusoidal_pos_embds", "sinusoidal_embeddings")


def check_sizes(values: PlainMapping, file: Path, weights_bytes: int) -> None:
    """Refuses numbers in a configuration that its weights, or no model at all, can have.

    Args:
        values: What the file holds.
        file: For messages.
        weights_bytes: Of all files with weights beside it; each number of a weight takes a byte at least.

    Raises:
        ModelFolderError: Names the entry.
    """
    for name, number in _impossible(values, weights_bytes):
        raise ModelFolderError(
            f"{file}: {name} is {shown(number)}, and the weights have {weights_bytes:,} bytes; it is damaged or of "
            "another model, copy the folder again",
            code="impossible-size",
            entry=name,
            file=str(file),
            value=number,
        )


def check_fits_memory(settings: PlainMapping, build: Callable[[], nn.Module]) -> None:
    """Refuses settings of a model with fresh weights that this machine cannot hold, before any weight is made.

    Args:
        settings: What is asked for.
        build: Makes the model.

    Raises:
        ConfigError: Names the setting, or the number of weights.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name, number in _impossible(settings, memory):
        raise ConfigError(
            f"{name} is {shown(number)}, which no model on this machine can have",
            code="impossible-model",
            entry=name,
            value=number,
        )
    count = _weights_of(build)
    if count * _FLOAT32 > memory:
        raise ConfigError(
            f"a model of {count:,} weights does not fit this machine's memory of {memory >> 30} GB; give smaller sizes",
            code="model-too-large",
            value=count,
        )


def _impossible(values: Mapping[str, object], most_bytes: int) -> Iterator[tuple[str, float]]:
    computed = any(values.get(name) for name in _TABLES)
    for name, number in _numbers(values):
        least, most = _bounds(name, most_bytes, computed=computed)
        if not least <= number <= most:
            yield name, number


def _bounds(name: str, weights_bytes: int, *, computed: bool) -> tuple[float, float]:
    """The least and the most that an entry of this name can be; `computed`: positions are, with Python's numbers."""
    if "drop" in name:
        return 0, _MOST_LAYERS
    if _LAYERS.search(name):
        return 0, _MOST_LAYERS
    if name.endswith("num_labels"):
        return 0, _MOST_LABELS
    if "position" in name:
        return -_INT64, _MOST_TABLE_ROWS if computed else _INT64 - 1
    if _WIDTHS.search(name):
        return 1 if name.endswith("attention_heads") else 0, max(_MOST_TABLE_ROWS, weights_bytes)
    return -_INT64, _INT64 - 1


def check_built(build: Callable[[], nn.Module], file: Path, weights_bytes: int) -> None:
    """Builds a model without its weights, and refuses one that has more of them than the files have bytes.

    Args:
        build: Makes the model.
        file: The configuration, for messages.
        weights_bytes: As for `check_sizes`.

    Raises:
        ModelFolderError: Names the file and both numbers.
    """
    count = _weights_of(build)
    if count > weights_bytes + _SMALL:
        raise ModelFolderError(
            f"{file} describes a model of {count:,} weights, and the files beside it have {weights_bytes:,} bytes; "
            "it is damaged or of another model, copy the folder again",
            code="impossible-size",
            value=count,
            file=str(file),
        )


def _weights_of(build: Callable[[], nn.Module]) -> int:
    """How many numbers the model holds, which is built without them."""
    import torch

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build()
    return sum(tensor.numel() for tensor in (*model.parameters(), *model.buffers()))


def _numbers(values: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int | float) and not isinstance(one, bool):
                yield str(name), one

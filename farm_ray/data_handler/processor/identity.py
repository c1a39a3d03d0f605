"""Processors as values: frozen copies, and the fingerprint that says whether two make equal features."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
from typing import TYPE_CHECKING, Any, TypeVar

from farm_ray.modeling.tokenization.backend import tokenizer_bytes

if TYPE_CHECKING:
    from farm_ray.data_handler.processor.base import Processor

P = TypeVar("P", bound="Processor")

_WHERE_ROWS_LIE = frozenset(
    {"data_dir", "train_filename", "dev_filename", "test_filename", "dev_split", "dev_stratification", "proxies"}
)
"""Settings that say which rows there are, not what becomes of one."""
_MEASURED_BY = "metric"
"""Of a task."""

ARROWS_VERSION = 2
"""Counted up whenever a stage makes other features of the same input, so that caches are made again."""


def is_frozen(processor: Processor) -> bool:
    """True for a copy that `Processor.frozen` made."""
    return bool(processor.__dict__.get("_frozen", False))


def changed_copy(processor: P, **changes: object) -> P:
    """A shallow copy with some attributes changed; frozen if the original is."""
    made = copy.copy(processor)
    # Frozen ones refuse to be set.
    vars(made).update(changes)
    vars(made).pop("_fingerprint", None)
    return made


def fingerprint(processor: Processor) -> str:
    """sha256 over class, settings, tasks, tokenizer and `ARROWS_VERSION`, 64 hex digits.

    The source text of classes and functions that are not farm_ray's own is part of it; where the rows lie, how they
    are split and what predictions are measured by is not.
    """
    known = processor.__dict__.get("_fingerprint")
    if known is not None:
        return known
    hidden = {"tokenizer", "inference", "tasks", *_WHERE_ROWS_LIE}
    settings = {name: value for name, value in vars(processor).items() if name[0] != "_" and name not in hidden}
    tasks = {
        name: {part: value for part, value in task.items() if part != _MEASURED_BY}
        for name, task in processor.tasks.items()
    }
    state = {
        "version": ARROWS_VERSION,
        "class": [_source(kind) for kind in type(processor).__mro__ if kind is not object],
        "inference": processor.inference,
        "settings": {**settings, "tasks": tasks},
    }
    digest = hashlib.sha256(json.dumps(state, sort_keys=True, default=_source).encode())
    digest.update(tokenizer_bytes(processor.tokenizer))
    if is_frozen(processor):
        processor.__dict__["_fingerprint"] = digest.hexdigest()
    return digest.hexdigest()


def _source(value: Any) -> str:
    """A text that stays the same between processes, for classes, functions and other values that JSON cannot hold."""
    name = getattr(value, "__qualname__", None)
    if name is None:
        return repr(value)
    module = getattr(value, "__module__", "")
    if module.partition(".")[0] in {"farm_ray", "abc", "builtins"}:
        # Not where it lies: a class that moves makes the same features.
        return str(name)
    try:
        return f"{module}.{name}\n{inspect.getsource(value)}"
    except (OSError, TypeError):
        return f"{module}.{name}"

"""FARM's helpers for plain values: numbers, lists, checksums."""

from __future__ import annotations

import hashlib
import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from farm_ray.data_handler.given_rows import Row

_SMALL_MACHINE = 3
"""Cores up to which none is left free."""
_TASKS_PER_CORE = 5


def to_numpy(container: Any) -> Any:
    """A tensor as a numpy array on the CPU; anything else as it is."""
    return container.detach().cpu().numpy() if hasattr(container, "detach") else container


def flatten_list(nested_list: Sequence[Any]) -> Iterator[Any]:
    """The elements of lists in lists in their order, however deep; the list is not changed.

    `list(flatten_list([1, [2, [3]], []]))` gives `[1, 2, 3]`.
    """
    ahead = [iter(nested_list)]
    while ahead:
        for element in ahead[-1]:
            if isinstance(element, list):
                ahead.append(iter(element))
                break
            yield element
        else:
            ahead.pop()


def get_dict_checksum(payload_dict: Row) -> str:
    """MD5 of a dict as JSON with sorted keys, 32 hexadecimal digits; equal for equal dicts."""
    text = json.dumps(payload_dict, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def stack(values: Sequence[Any]) -> Any:
    """Arrays of one shape as one array with a first dimension more; of tensors a tensor."""
    if values and hasattr(values[0], "detach"):
        import torch

        return torch.stack(list(values))
    return np.stack(list(values))


def try_get(keys: Sequence[str], dictionary: Row) -> Any:
    """The value of the first of these keys that the dict has, of a list its first element; None where it has none."""
    for key in keys:
        if key in dictionary:
            value = dictionary[key]
            return value[0] if isinstance(value, list) and value else value
    return None


def calc_chunksize(
    num_dicts: int, min_chunksize: int = 4, max_chunksize: int = 2000, max_processes: int = 128
) -> tuple[int, int]:
    """How many dicts FARM gives to a process at once, and to how many processes.

    farm_ray does not ask for these: Ray's tasks are cut by bytes.

    Args:
        num_dicts: All dicts.
        min_chunksize: At least so many at once.
        max_chunksize: At most so many at once.
        max_processes: At most so many processes.
    """
    cores = os.cpu_count() or 1
    processes = min(cores - 1 if cores > _SMALL_MACHINE else cores, max_processes)
    share = math.ceil(math.ceil(num_dicts / processes) / _TASKS_PER_CORE)
    chunk = min(max(share, min_chunksize), max_chunksize)
    while num_dicts != 1 and num_dicts % chunk == 1:
        # A single document has no other to draw a sentence from.
        chunk += 1
    return chunk, min(processes, num_dicts // chunk) or 1


def format_log(ascii: Callable[[str], str] | str, logger: logging.Logger) -> None:  # noqa: A002 - FARM's name
    """Logs a text of several lines line by line."""
    for line in str(ascii).splitlines():
        logger.info(line)


def log_ascii_workers(n: int, logger: logging.Logger) -> None:
    """Logs how many processes work; FARM draws one picture each."""
    logger.info("%d processes at work", n)

"""Randomness that belongs to a row or to a run, never to a process: numbers are functions of (seed, epoch, row id)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

UInt64 = npt.NDArray[np.uint64]

_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TWO_TO_MINUS_53 = 2.0**-53


def splitmix64(state: UInt64) -> UInt64:
    """One splitmix64 output per element (Steele, Lea and Flood 2014); same shape, uint64, wraps around."""
    with np.errstate(over="ignore"):
        mixed = state + _INCREMENT
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    return mixed ^ (mixed >> np.uint64(31))


def hash_ids(ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> UInt64:
    """A stable 64-bit hash per row id, [rows]: the same on every machine and in every process."""
    import pandas as pd

    values = ids.to_pylist() if isinstance(ids, pa.Array | pa.ChunkedArray) else list(ids)
    if not values:
        return np.zeros(0, np.uint64)
    return pd.util.hash_array(np.array(values, dtype=object), categorize=False)


def random_bits(seed: int, epoch: int, rows: UInt64, *, stream: int = 0) -> UInt64:
    """64 random bits per row, a pure function of its arguments; `stream` keeps different uses apart.

    Args:
        seed: The run's seed.
        epoch: The pass over the data, from 0.
        rows: Row hashes from `hash_ids`, or any counters, [rows].
        stream: A number per use (0 the order, 1 the dev split, ...).
    """
    key = splitmix64(np.array([seed], np.int64).astype(np.uint64))
    key = splitmix64(key ^ np.uint64(epoch))
    key = splitmix64(key ^ np.uint64(stream))
    return splitmix64(rows ^ key)


def random_floats(seed: int, epoch: int, rows: UInt64, *, stream: int = 0) -> npt.NDArray[np.float64]:
    """Uniform numbers in [0, 1) per row, [rows]; arguments as for `random_bits`."""
    return (random_bits(seed, epoch, rows, stream=stream) >> np.uint64(11)).astype(np.float64) * _TWO_TO_MINUS_53


def set_all_seeds(seed: int, deterministic_cudnn: bool = False) -> None:
    """Seeds Python, numpy and torch (all devices) in this process, for dropout and fresh weights.

    The order of training data never depends on these: it comes from `random_bits`.
    """
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries we call still draw from the global generator
    torch.manual_seed(seed)
    if deterministic_cudnn:
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False

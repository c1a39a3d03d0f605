"""The order hash: 64 bits that say which rows every step so far has used.

Two runs with the same hash used the same rows in the same steps. Within a step the order of rows does not count, so
any number of workers comes to the same value.
"""

from __future__ import annotations

import numpy as np

from farm_ray.reproducibility import UInt64, splitmix64

START = 0
"""The hash before the first step."""


def row_sum(row_hashes: UInt64) -> int:
    """64 bits over some rows, [rows], whatever their order; sums (mod 2**64) over parts are that of the whole."""
    with np.errstate(over="ignore"):
        return int(splitmix64(row_hashes).sum(dtype=np.uint64))


def advance(order_hash: int, rows: int) -> int:
    """The hash after a step whose rows have this `row_sum`."""
    state = np.array([order_hash], np.uint64) ^ splitmix64(np.array([rows], np.uint64))
    return int(splitmix64(state)[0])


def as_text(order_hash: int) -> str:
    """Sixteen hexadecimal digits, as results and logs show it."""
    return f"{order_hash:016x}"

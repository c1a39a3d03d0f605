"""The order hash says which rows every step has used."""

import numpy as np

from farm_ray.data_handler.order import (
    START,
    advance,
    row_sum,
)
from farm_ray.reproducibility import hash_ids


def after(order_hash, row_hashes):
    """The hash after a step that used these rows."""
    return advance(order_hash, row_sum(row_hashes))


def test_hash_counts_steps_not_the_order_within_one():
    a, b, c = (hash_ids([name]) for name in "abc")
    together = np.concatenate([a, b])
    assert after(START, together) == after(START, together[::-1])
    assert after(after(START, a), b) != after(after(START, b), a)
    assert after(START, together) != after(START, np.concatenate([a, c]))
    assert after(after(START, a), b) != after(START, together)

"""Splitting a set by rows: seeded, exact in size, the same on every machine; stratified on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from farm_ray.data_handler.data_silo.folds import deal
from farm_ray.errors import ConfigError
from farm_ray.reproducibility import UInt64, random_bits

if TYPE_CHECKING:
    from farm_ray.data_handler.data_silo.folds import Strata
    from farm_ray.data_handler.feature_columns import Positions

_SPLIT_STREAM = 2


def split_rows(
    row_hashes: UInt64, share: float, *, seed: int, strata: Strata | None = None
) -> tuple[Positions, Positions]:
    """The positions that stay and those that go, both ascending.

    Every row draws a number from (seed, row id); the `round(share * n)` smallest go. With `strata` as many go, and of
    each label as near as can be its share (see `deal`).

    Args:
        row_hashes: From the row ids, [n].
        share: Part of the rows that goes, between 0 and 1.
        seed: The run's seed.
        strata: Label columns of the rows, [n, m].

    Raises:
        ConfigError: When one of the two parts would be empty.
    """
    rows = len(row_hashes)
    wanted = round(share * rows)
    if not 0 < wanted < rows:
        raise ConfigError(
            f"dev_split={share} of {rows} rows leaves {wanted} for dev and {rows - wanted} for train; "
            "choose another dev_split or give a dev_filename",
            code="split-leaves-nothing",
            option="dev_split",
            value=share,
            rows=rows,
        )
    draws = random_bits(seed, 0, row_hashes, stream=_SPLIT_STREAM)
    gone = np.zeros(rows, np.bool_)
    if strata is None:
        gone[np.argsort(draws, kind="stable")[:wanted]] = True
    else:
        gone = deal(draws, [wanted / rows, 1 - wanted / rows], strata) == 0
    return np.flatnonzero(~gone), np.flatnonzero(gone)

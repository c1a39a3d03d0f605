"""Splitting a set by rows: seeded, exact in size, the same on every machine; stratified on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError
from farm_ray.reproducibility import UInt64, random_bits

if TYPE_CHECKING:
    from farm_ray.data_handler.batches import Positions

_SPLIT_STREAM = 2


def split_rows(
    row_hashes: UInt64, share: float, *, seed: int, strata: npt.NDArray[Any] | None = None
) -> tuple[Positions, Positions]:
    """The positions that stay and those that go, both ascending.

    Every row draws a number from (seed, row id); the `round(share * n)` smallest go. With `strata` this is done
    within each stratum, and rounding is settled by largest remainders so that the total stays exact.

    Args:
        row_hashes: From the row ids, [n].
        share: Part of the rows that goes, between 0 and 1.
        seed: The run's seed.
        strata: A class per row, [n].

    Raises:
        ConfigError: When one of the two parts would be empty.
    """
    rows = len(row_hashes)
    wanted = round(share * rows)
    if not 0 < wanted < rows:
        raise ConfigError(
            f"dev_split={share} of {rows} rows leaves {wanted} for dev and {rows - wanted} for train; "
            "choose another dev_split or give a dev_filename"
        )
    draws = random_bits(seed, 0, row_hashes, stream=_SPLIT_STREAM)
    order = np.argsort(draws, kind="stable")
    if strata is None:
        going = order[:wanted]
    else:
        going = np.concatenate([order[strata[order] == name][:quota] for name, quota in _quotas(strata, wanted)])
    gone = np.zeros(rows, bool)
    gone[going] = True
    return np.flatnonzero(~gone), np.flatnonzero(gone)


def _quotas(strata: npt.NDArray[Any], wanted: int) -> list[tuple[Any, int]]:
    names, counts = np.unique(strata, return_counts=True)
    exact = counts * (wanted / len(strata))
    quotas = np.floor(exact).astype(int)
    most_owed = np.argsort(quotas - exact, kind="stable")[: wanted - quotas.sum()]
    quotas[most_owed] += 1
    return list(zip(names, quotas.tolist(), strict=True))

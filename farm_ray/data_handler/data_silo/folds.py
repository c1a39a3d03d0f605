"""Dealing units into parts: seeded, exact in size, and every label in the same share in every part.

A unit is what must stay together: a row, or all windows of one source row. u units, p parts, m label columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray.reproducibility import UInt64, random_bits, splitmix64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.feature_columns import Positions

Strata = npt.NDArray[np.int64]
"""Label columns of units, [u, m]: class ids, zeros and ones of several labels, numbers of bins."""

_FOLD_STREAM, _SEED_STREAM = 3, 4
_MOST_PIECES = 20


def draws(hashes: UInt64, seed: int) -> UInt64:
    """A random number per unit, [u], from (seed, row id); units that share an id get different ones, by their order."""
    return random_bits(seed, 0, _told_apart(hashes), stream=_FOLD_STREAM)


def seed_of(seed: int, *numbers: int) -> int:
    """A seed of its own, 31 bits, for each split (and split within a split) of a cross-validation."""
    for number in numbers:
        seed = int(random_bits(seed, 0, np.array([number], np.uint64), stream=_SEED_STREAM)[0] >> np.uint64(33))
    return seed


def deal(order: npt.NDArray[np.generic], shares: Sequence[float], strata: Strata | None = None) -> Positions:
    """The part of each unit, [u].

    Every part gets its share of all units, to the nearest whole number, and as near as can be that of the units with
    each value in each column of `strata`. Units with the same labels are shared out evenly first; each that is left,
    rarest labels first, goes where its labels are lacking most for their number (cf. iterative stratification,
    Sechidis et al. 2011). Between equal parts a class of one label column differs by one unit at most.

    Args:
        order: Numbers that order the units, [u]: random ones, or 0, 1, ... to cut without shuffling.
        shares: Share of each part, [p]; they add up to 1.
        strata: The units' labels, [u, m]; None deals by number alone.
    """
    columns = np.zeros((len(order), 1), np.int64) if strata is None else strata
    if columns.shape[1] > 1 and len(set(shares)) > 1:
        pieces, part_of_piece = _pieces_of_one_size(len(order), shares)
        return part_of_piece[_dealt(order, pieces, columns)]
    return _dealt(order, np.asarray(shares, float), columns)


def _dealt(order: npt.NDArray[np.generic], shares: npt.NDArray[np.float64], columns: Strata) -> Positions:
    kinds, kind_of_unit = _distinct_rows(columns)
    quotas = _quotas(np.bincount(kind_of_unit, minlength=len(kinds)), shares, _traits(kinds))
    parts = np.empty(len(order), np.int64)
    numbers = np.tile(np.arange(len(shares)), len(kinds))
    parts[np.lexsort((order, kind_of_unit))] = np.repeat(numbers, quotas.ravel())
    return parts


def _pieces_of_one_size(units: int, shares: Sequence[float]) -> tuple[npt.NDArray[np.float64], Positions]:
    """Shares of pieces of about one size that the parts are cut into, and the part of each piece.

    Labels that are lacking most say most where parts are alike; among unequal parts the largest would always lack most.
    """
    sizes = _largest_remainders(units * np.asarray(shares, float), units)
    numbers = np.clip(np.round(sizes / max(1, sizes.min())), 1, _MOST_PIECES).astype(np.int64)
    pieces = [(size + place) // number for size, number in zip(sizes, numbers, strict=True) for place in range(number)]
    return np.array(pieces) / units, np.repeat(np.arange(len(sizes)), numbers)


def _quotas(counts: Positions, shares: npt.NDArray[np.float64], traits: npt.NDArray[np.bool_]) -> Positions:
    """How many units of each kind go to each part, [kinds, p].

    Args:
        counts: Units per kind, [kinds].
        shares: Share of each part, [p].
        traits: Which labels the units of a kind have, [kinds, labels].
    """
    exact = counts[:, None] * shares
    # 0.7 * 10 is a little less than 7.
    quotas = np.floor(exact + 1e-9).astype(np.int64)
    room = _largest_remainders(counts.sum() * shares, int(counts.sum())) - quotas.sum(axis=0)
    units_with = traits.T.astype(np.int64) @ counts
    lacking = traits.T.astype(float) @ (exact - quotas) / units_with[:, None]
    rarest = [units_with[labels].min() for labels in traits]
    for kind in np.argsort(rarest, kind="stable").tolist():
        labels = np.flatnonzero(traits[kind])
        for _ in range(int(counts[kind] - quotas[kind].sum())):
            want = np.where(room > 0, lacking[labels].sum(axis=0).round(12), -np.inf)
            part = int(np.lexsort((room, want))[-1])
            quotas[kind, part] += 1
            room[part] -= 1
            lacking[labels, part] -= 1 / units_with[labels]
    return quotas


def _largest_remainders(exact: npt.NDArray[np.float64], total: int) -> Positions:
    sizes = np.floor(exact + 1e-9).astype(np.int64)
    sizes[np.argsort(sizes - exact, kind="stable")[: total - sizes.sum()]] += 1
    return sizes


def _distinct_rows(columns: Strata) -> tuple[Strata, Positions]:
    """The distinct rows, [kinds, m], and which of them each unit has, [u]."""
    if columns.shape[1] == 1:
        kinds, kind_of_unit = np.unique(columns[:, 0], return_inverse=True)
        return kinds[:, None], kind_of_unit
    kinds, kind_of_unit = np.unique(columns, axis=0, return_inverse=True)
    return kinds, kind_of_unit.ravel()


def _traits(kinds: Strata) -> npt.NDArray[np.bool_]:
    """One column per value in each column of `kinds`, [kinds, labels]."""
    return np.concatenate([column[:, None] == np.unique(column) for column in kinds.T], axis=1)


def _told_apart(hashes: UInt64) -> UInt64:
    """The hashes, [u]; the second, third, ... of equal ones are changed into others."""
    order = np.argsort(hashes, kind="stable")
    sorted_hashes = hashes[order]
    places = np.arange(len(hashes))
    first = np.r_[True, sorted_hashes[1:] != sorted_hashes[:-1]][: len(hashes)]
    repeats = np.empty(len(hashes), np.uint64)
    repeats[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return np.where(repeats > 0, splitmix64(hashes ^ splitmix64(repeats)), hashes)

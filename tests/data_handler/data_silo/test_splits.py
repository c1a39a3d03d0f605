"""The dev split: exact, seeded, per row, stratified on request."""

import numpy as np
import pytest

from farm_ray.data_handler.data_silo.splits import split_rows
from farm_ray.errors import ConfigError
from farm_ray.reproducibility import hash_ids
from tests.raised import raised

HASHES = hash_ids([f"train.tsv:{n}" for n in range(1000)])


def test_exact_disjoint_and_repeatable():
    stay, go = split_rows(HASHES, 0.1, seed=42)
    assert len(go) == 100
    assert sorted([*stay.tolist(), *go.tolist()]) == list(range(1000))
    assert split_rows(HASHES, 0.1, seed=42)[1].tolist() == go.tolist()
    assert split_rows(HASHES, 0.1, seed=43)[1].tolist() != go.tolist()


def test_a_row_goes_by_its_id_not_by_its_place():
    go = set(HASHES[split_rows(HASHES, 0.1, seed=1)[1]].tolist())
    turned = HASHES[::-1]
    assert set(turned[split_rows(turned, 0.1, seed=1)[1]].tolist()) == go


def test_stratified_keeps_the_shares_and_the_total():
    strata = np.array([0] * 700 + [1] * 295 + [2] * 5)
    _, go = split_rows(HASHES, 0.11, seed=1, strata=strata[:, None])
    assert len(go) == 110
    assert np.bincount(strata[go], minlength=3).tolist() in ([77, 32, 1], [77, 33, 0])


def test_combinations_that_are_rarer_than_the_share():
    """A hundred labels, any two per row: few combinations have the ten rows of which one would go."""
    rng = np.random.default_rng(0)
    strata = np.zeros((1000, 100), np.int64)
    strata[np.arange(1000), rng.integers(0, 100, 1000)] = 1
    strata[np.arange(1000), rng.integers(0, 100, 1000)] = 1
    stay, go = split_rows(HASHES, 0.1, seed=1, strata=strata)
    assert len(go) == 100
    assert sorted([*stay.tolist(), *go.tolist()]) == list(range(1000))
    by_chance = split_rows(HASHES, 0.1, seed=1)[1]
    off, off_by_chance = (
        np.abs(strata[part].sum(axis=0) - strata.sum(axis=0) * 0.1).mean() for part in (go, by_chance)
    )
    assert off < 0.7 * off_by_chance


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.9999, 1.0])
def test_a_split_that_leaves_nothing_is_refused(share):
    with raised(ConfigError, "split-leaves-nothing", option="dev_split"):
        split_rows(HASHES[:20], share, seed=1)

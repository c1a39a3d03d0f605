"""Dealing: exact sizes, shares of labels, seeds, and labels too rare for every part."""

import numpy as np
import pytest

from farm_ray.data_handler.data_silo.folds import deal, draws, seed_of
from farm_ray.reproducibility import hash_ids

HASHES = hash_ids([f"train.tsv:{n}" for n in range(1000)])
FIFTHS = [0.2] * 5


def dealt(strata=None, *, n=1000, seed=1, shares=FIFTHS):
    return deal(draws(HASHES[:n], seed), shares, None if strata is None else np.asarray(strata).reshape(n, -1))


def per_part(parts, flags, n_parts=5):
    return np.bincount(parts[np.asarray(flags, bool)], minlength=n_parts)


@pytest.mark.parametrize(("n", "sizes"), [(10, [2] * 5), (13, [2, 2, 3, 3, 3]), (5, [1] * 5), (3, [0, 0, 1, 1, 1])])
def test_parts_are_of_one_size(n, sizes):
    assert sorted(np.bincount(dealt(n=n), minlength=5)) == sizes


@pytest.mark.parametrize(("share", "n", "first"), [(0.8, 1000, 800), (0.7, 10, 7), (0.8, 11, 9), (0.9, 4, 4)])
def test_unequal_shares_are_exact(share, n, first):
    assert per_part(dealt(n=n, shares=(share, 1 - share)), np.ones(n), 2).tolist() == [first, n - first]


def test_the_same_seed_gives_the_same_parts_and_another_seed_others():
    assert dealt().tolist() == dealt().tolist()
    assert dealt().tolist() != dealt(seed=2).tolist()
    assert seed_of(1, 2) == seed_of(1, 2)
    assert len({seed_of(seed, number) for seed in range(20) for number in range(20)}) == 400
    assert seed_of(1, 2, 3) == seed_of(seed_of(1, 2), 3)


@pytest.mark.parametrize("strata", [None, np.arange(1000) % 7, np.random.default_rng(0).random((1000, 4)) < 0.3])
def test_a_unit_goes_by_its_id_not_by_its_place(strata):
    mixed = np.random.default_rng(3).permutation(1000)
    columns = None if strata is None else np.asarray(strata, np.int64).reshape(1000, -1)
    there = deal(draws(HASHES[mixed], 1), FIFTHS, None if columns is None else columns[mixed])
    assert there.tolist() == deal(draws(HASHES, 1), FIFTHS, columns)[mixed].tolist()


def test_units_with_one_id_are_drawn_apart():
    hashes = np.repeat(HASHES[:100], 3)
    numbers = draws(hashes, 1)
    assert len(np.unique(numbers)) == 300
    assert numbers[::3].tolist() == draws(HASHES[:100], 1).tolist()


def test_classes_have_the_same_share_in_every_part():
    classes = np.repeat([0, 1, 2, 3], [703, 250, 44, 3])
    parts = dealt(classes)
    assert np.ptp(np.bincount(parts)) == 0
    for name in range(4):
        assert np.ptp(per_part(parts, classes == name)) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_however_many_classes_every_one_and_the_whole_differ_by_one_at_most(seed):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 120, 997)
    parts = dealt(classes, n=997, shares=[1 / 7] * 7)
    assert np.ptp(np.bincount(parts, minlength=7)) <= 1
    assert max(np.ptp(per_part(parts, classes == name, 7)) for name in range(120)) <= 1


@pytest.mark.parametrize("seed", range(4))
def test_several_labels_in_a_row_are_better_shared_out_than_by_chance(seed):
    rng = np.random.default_rng(seed)
    flags = rng.random((600, 12)) < np.linspace(0.01, 0.5, 12)
    assert len(np.unique(flags, axis=0)) > 250  # most combinations occur once or twice
    parts = dealt(flags, n=600)
    assert np.bincount(parts).tolist() == [120] * 5
    spread = [np.ptp(per_part(parts, column)) for column in flags.T]
    by_chance = [np.ptp(per_part(dealt(n=600), column)) for column in flags.T]
    assert max(spread) <= 3
    assert sum(spread) < sum(by_chance) / 6


def test_two_tasks_at_once():
    first, second = np.arange(1000) % 3, (np.arange(1000) // 3) % 5
    parts = dealt(np.stack([first, second], axis=1))
    for column in (first, second):
        assert max(np.ptp(per_part(parts, column == name)) for name in np.unique(column)) <= 2


def test_every_row_a_class_of_its_own():
    assert np.bincount(dealt(np.arange(1000))).tolist() == [200] * 5


def test_a_lone_row_of_a_holdout_is_trained():
    classes = np.r_[np.zeros(99), [1]]
    assert dealt(classes, n=100, shares=(0.8, 0.2))[-1] == 0


def test_without_shuffling_parts_are_runs():
    assert deal(np.arange(7), [1 / 3] * 3).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert deal(np.arange(6), [1 / 3] * 3, np.array([[0, 1, 0, 1, 0, 1]]).T).tolist() == [0, 0, 1, 1, 2, 2]

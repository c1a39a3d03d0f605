"""Bootstrap intervals: resamples are what they should be, and intervals hold the truth as often as they say."""

import math

import numpy as np
import pytest

from farm_ray.errors import ConfigError
from farm_ray.evaluation.bootstrap import _drawn, bootstrap_interval
from tests.raised import raised

ROWS = 60
RNG = np.random.default_rng(3)


def noisy(labels, pool, share=0.6):
    return [label if RNG.random() < share else pool[RNG.integers(len(pool))] for label in labels]


TAGS = ["O", "O", "B-PER", "I-PER", "B-LOC", "X", "MISC"]
NAMES = RNG.choice(["a", "b", "c"], ROWS, p=[0.8, 0.15, 0.05]).tolist()
BITS = RNG.integers(0, 2, ROWS).tolist()
GRID = (RNG.random((ROWS, 3)) < 0.3).astype(int)
WORDS = [RNG.choice(TAGS, RNG.integers(0, 6)).tolist() for _ in range(ROWS)]
HALVES = (RNG.normal(size=ROWS) * 4).round() / 2

COLUMNS = {
    "names": (noisy(NAMES, "abc"), NAMES),
    "bits": (noisy(BITS, [0, 1]), BITS),
    "grid": (np.where(RNG.random(GRID.shape) < 0.7, GRID, 1 - GRID), GRID),
    "lists": (np.where(RNG.random(GRID.shape) < 0.7, GRID, 1 - GRID).tolist(), GRID.tolist()),
    "one label": (GRID[:, 1:2], GRID[:, :1]),
    "tags": ([noisy(row, TAGS) for row in WORDS], WORDS),
    "numbers": ((HALVES + RNG.integers(-2, 3, ROWS) / 2).tolist(), HALVES.tolist()),
    "always 0.1": ([0.1] * ROWS, HALVES.tolist()),
}


def test_draws_follow_from_seed_and_sample_and_every_row_is_drawn_as_often():
    draws = [_drawn(50, sample, seed=1) for sample in range(400)]
    assert all(draw.sum() == 50 for draw in draws)
    assert (_drawn(50, 7, seed=1) == draws[7]).all()
    assert (_drawn(50, 7, seed=2) != draws[7]).any()
    assert (draws[7] != draws[8]).any()
    means, spread = np.mean(draws, axis=0), np.var(draws)
    assert np.abs(means - 1).max() < 0.2
    assert spread == pytest.approx(1 - 1 / 50, rel=0.05)


def test_the_interval_is_that_of_theory():
    """The share of right rows among 2000: standard error sqrt(p (1 - p) / n)."""
    labels, preds = ["a"] * 2000, ["a"] * 1600 + ["b"] * 400
    low, high = bootstrap_interval("acc", preds, labels)["acc"]
    error = math.sqrt(0.8 * 0.2 / 2000)
    assert low == pytest.approx(0.8 - 1.96 * error, abs=0.002)
    assert high == pytest.approx(0.8 + 1.96 * error, abs=0.002)
    narrow = bootstrap_interval("acc", preds, labels, confidence=0.5)["acc"]
    assert narrow[1] - narrow[0] == pytest.approx(2 * 0.6745 * error, rel=0.15)


def test_the_same_seed_gives_the_same_interval():
    columns = COLUMNS["names"]
    assert bootstrap_interval("acc", *columns) == bootstrap_interval("acc", *columns, seed=42)
    assert bootstrap_interval("acc", *columns) != bootstrap_interval("acc", *columns, seed=43)


def test_all_values_or_one():
    columns = COLUMNS["bits"]
    every = bootstrap_interval(["acc_f1", "mcc"], *columns, samples=20)
    assert list(every) == ["acc", "f1", "acc_and_f1", "mcc"]
    assert bootstrap_interval(["acc_f1", "mcc"], *columns, samples=20, name="f1") == {"f1": every["f1"]}
    with raised(ConfigError, "unknown-metric", value="f2"):
        bootstrap_interval("acc_f1", *columns, name="f2")


def test_undefined_resamples_do_not_count():
    preds, labels = [1.0, 1.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]
    low, high = bootstrap_interval("pear_spear", preds, labels)["pearson"]
    assert math.isfinite(low)
    assert -1 <= low <= high <= 1
    assert all(map(math.isnan, bootstrap_interval("pear_spear", [1.0] * 4, labels)["corr"]))
    assert all(map(math.isnan, bootstrap_interval(["acc", "f1_samples"], [], [])["f1_samples"]))


def test_a_metric_that_fails_on_some_resamples():
    def needs_b(_, labels):
        if "b" not in labels:
            raise ValueError
        return {"share": labels.count("b") / len(labels)}

    low, _ = bootstrap_interval(needs_b, ["a"] * 9, ["a"] * 8 + ["b"])["share"]
    assert low == pytest.approx(1 / 9)
    with pytest.raises(ValueError):
        bootstrap_interval(needs_b, ["a"], ["a"])


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"confidence": 0}, {"confidence": 95}])
def test_numbers_out_of_range(wrong):
    with raised(ConfigError, "invalid-value", **wrong):
        bootstrap_interval("acc", ["a"], ["a"], **wrong)

"""Row-bound randomness: fixed values, even spread, independent streams."""

import numpy as np
import pyarrow as pa

from farm_ray.reproducibility import hash_ids, random_bits, random_floats, splitmix64


def test_splitmix64_reference_values():
    """The published generator's outputs for seed 1234567 (state advances by the golden gamma each call)."""
    gamma = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        states = np.uint64(1234567) + gamma * np.arange(3, dtype=np.uint64)
    assert splitmix64(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_ids_hash_alike_everywhere():
    assert hash_ids(["train.tsv:7", "é"]).tolist() == hash_ids(pa.array(["train.tsv:7", "é"])).tolist()
    assert len(set(hash_ids([f"t:{n}" for n in range(100_000)]).tolist())) == 100_000
    assert hash_ids([]).shape == (0,)


def test_numbers_depend_on_seed_epoch_row_and_stream():
    rows = hash_ids([f"t:{n}" for n in range(50_000)])
    base = random_floats(1, 0, rows)
    assert abs(base.mean() - 0.5) < 0.01
    assert base.min() >= 0
    assert base.max() < 1
    for other in (random_floats(2, 0, rows), random_floats(1, 1, rows), random_floats(1, 0, rows, stream=1)):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.02
    assert random_bits(1, 0, rows[5:6]).tolist() == random_bits(1, 0, rows)[5:6].tolist()
    assert random_bits(-3, 0, rows[:1]).dtype == np.uint64

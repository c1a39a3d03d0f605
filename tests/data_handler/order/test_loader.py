"""Passes over a loader: each one is the next epoch of training."""

import numpy as np
import pyarrow as pa
import pytest

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.order import FeatureLoader, InMemoryOrder
from farm_ray.data_handler.samples_to_features.masking import Masking
from farm_ray.data_handler.samples_to_features.padding import Padding
from tests.data_handler.data_silo.feature_tables import feature_table

ROWS = 40


@pytest.fixture
def rows():
    ids = pa.array([[number] for number in range(ROWS)], pa.list_(pa.int32()))
    columns = {"id": [str(number) for number in range(ROWS)], "input_ids": ids, "n_tokens": pa.array([1] * ROWS)}
    return FeatureSet(table=feature_table(columns), rows=np.arange(ROWS), padding=Padding(pad_token_id=0))


def seen(batches):
    return [token for batch in batches for token in batch["input_ids"].reshape(-1).tolist()]


def of_epoch(rows, epoch):
    order = InMemoryOrder(lengths=rows.lengths, row_hashes=rows.row_hashes, seed=7, batch_size=4)
    return [int(row) for positions in order.batches(epoch) for row in positions]


def test_each_pass_is_the_next_epoch(rows):
    loader = FeatureLoader(rows, 4, seed=7)
    passes = [seen(loader) for _ in range(3)]
    assert passes == [of_epoch(rows, epoch) for epoch in range(3)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1]) == list(range(ROWS))
    assert len(loader) == 10


def test_a_pass_that_was_broken_off_counts(rows):
    loader = FeatureLoader(rows, 4, seed=7)
    next(iter(loader))
    iter(loader)
    assert seen(loader) == of_epoch(rows, 1)


def test_passes_beside_each_other(rows):
    loader = FeatureLoader(rows, 4, seed=7)
    first, second = zip(*zip(loader, loader, strict=True), strict=True)
    assert (seen(first), seen(second)) == (of_epoch(rows, 0), of_epoch(rows, 1))


def test_a_chosen_epoch_and_those_after_it(rows):
    loader = FeatureLoader(rows, 4, seed=7)
    loader.set_epoch(5)
    assert [seen(loader), seen(loader)] == [of_epoch(rows, 5), of_epoch(rows, 6)]
    loader.set_epoch(0)
    assert seen(loader) == of_epoch(rows, 0)


def test_without_a_seed_every_pass_is_in_file_order(rows):
    loader = FeatureLoader(rows, 4)
    assert seen(loader) == seen(loader) == list(range(ROWS))


@pytest.mark.parametrize("seed", [7, None])
def test_masks_are_those_of_the_epoch(seed):
    ids = pa.array([list(range(8 * row, 8 * row + 8)) for row in range(9)], pa.list_(pa.int32()))
    starts = pa.array([[1] * 8] * 9, pa.list_(pa.int8()))
    columns = {"id": [str(row) for row in range(9)], "input_ids": ids, "word_starts": starts, "n_tokens": [8] * 9}
    rows = FeatureSet(
        table=feature_table(columns),
        rows=np.arange(9),
        padding=Padding(pad_token_id=0, fills={"word_starts": -1}),
        masking=Masking(mask_token_id=99, vocab_size=100),
    )
    loader = FeatureLoader(rows, 9, seed=seed)

    def predicted():
        (batch,) = loader
        return sorted(label for label in batch["lm_label_ids"].reshape(-1).tolist() if label >= 0)

    assert (predicted() == predicted()) is (seed is None)

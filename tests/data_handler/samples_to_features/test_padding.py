"""From ragged token columns to rectangles."""

import pickle

import numpy as np
import pytest

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.samples_to_features.padding import Padding
from tests.data_handler.test_batches import feature_set, table


def test_left_padding_and_segment_value():
    batch = feature_set(table(), side="left", segment_pad=4).batch(np.array([1, 0]))
    assert batch["input_ids"].tolist() == [[0, 2, 3], [2, 7, 3]]
    assert batch["padding_mask"].tolist() == [[0, 1, 1], [1, 1, 1]]
    assert batch["segment_ids"].tolist() == [[4, 0, 0], [0, 0, 0]]


def test_width_is_rounded_up():
    features = FeatureSet(table=table(), rows=np.arange(3), padding=Padding(pad_token_id=0), pad_to_multiple_of=8)
    assert features.batch(np.array([0]))["input_ids"].shape == (1, 8)


@pytest.mark.parametrize(("max_width", "width"), [(None, 8), (6, 6), (5, 5), (4, 5), (64, 8)])
def test_widths_are_not_rounded_beyond_the_positions_of_the_model(max_width, width):
    padding = Padding(pad_token_id=0, max_width=max_width)
    features = FeatureSet(table=table(), rows=np.arange(3), padding=padding, pad_to_multiple_of=8)
    assert features.batch(np.arange(3))["input_ids"].shape == (3, width)
    assert pickle.loads(pickle.dumps(features.subset(np.arange(3)))).padding == padding

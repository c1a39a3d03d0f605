"""Feature rows to tensors: values, padding, chunk borders, subsets."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
import torch

from farm_ray.data_handler import problems
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.samples_to_features.padding import Padding
from tests.data_handler.data_silo.feature_tables import feature_table

ROWS = [[2, 7, 3], [2, 3], [2, 9, 9, 9, 3], [], [2, 8, 3]]
LABELS = [0, 1, 2, None, 1]


def table() -> pa.Table:
    labels = pa.array([None if label is None else [label] for label in LABELS], pa.list_(pa.int64(), 1))
    return feature_table(
        {
            "id": [f"t.tsv:{n}" for n in range(len(ROWS))],
            "input_ids": pa.array(ROWS, pa.list_(pa.int32())),
            "task_label_ids": labels,
            "n_tokens": pa.array([len(row) for row in ROWS], pa.int32()),
            "clipped": [False] * len(ROWS),
            "problem": problems.none(len(ROWS)),
        }
    )


def chunked(cut: int) -> pa.Table:
    whole = table()
    return pa.concat_tables([whole.slice(0, cut), whole.slice(cut)])


def feature_set(features: pa.Table, **padding: object) -> FeatureSet:
    rows = np.array([0, 1, 2, 4])
    return FeatureSet(table=features, rows=rows, padding=Padding(pad_token_id=0, **padding))


@pytest.mark.parametrize("cut", range(6))
def test_batch_holds_the_rows_whatever_the_chunks(cut):
    batch = feature_set(chunked(cut)).batch(np.array([3, 2]))
    assert batch["input_ids"].tolist() == [[2, 8, 3, 0, 0], [2, 9, 9, 9, 3]]
    assert batch["padding_mask"].tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batch["segment_ids"].tolist() == [[0] * 5] * 2
    assert batch["task_label_ids"].tolist() == [[1], [2]]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_subset_counts_positions_of_the_set():
    part = feature_set(table()).subset(np.array([3, 0]))
    assert part.ids() == ["t.tsv:4", "t.tsv:0"]
    assert part.lengths.tolist() == [3, 3]
    assert part.batch(np.array([0]))["input_ids"].tolist() == [[2, 8, 3]]


def test_travels_by_pickle():
    part = feature_set(chunked(2))
    part.batch(np.array([0]))
    again = pickle.loads(pickle.dumps(part))
    assert again.batch(np.array([1]))["input_ids"].tolist() == [[2, 3]]
    assert (again.row_hashes == part.row_hashes).all()


def test_tensor_names_and_columns():
    features = feature_set(table())
    assert features.tensor_names == ["input_ids", "padding_mask", "segment_ids", "task_label_ids"]
    assert features.column("task_label_ids").tolist() == [[0], [1], [2], [1]]


def word_table(tags=((-100, 1, 2), (-100, 0)), sequence=(0, 1), ids=((2, 7, 3), (2, 3))):
    """Two rows with labels of their tokens and one of their own."""
    return feature_table(
        {
            "id": ["t:1-0", "t:2-0"],
            "dict_id": ["t:1", "t:2"],
            "window": pa.array([0, 0], pa.int32()),
            "input_ids": pa.array(ids, pa.list_(pa.int32())),
            "initial_mask": pa.array([[0, 1, 0], [0, 1]], pa.list_(pa.int8())),
            "ner_label_ids": pa.array(tags, pa.list_(pa.int32())),
            "topic_label_ids": pa.array([[label] for label in sequence], pa.list_(pa.int64(), 1)),
            "n_tokens": pa.array([3, 2], pa.int32()),
            "clipped": [False, False],
            "problem": problems.none(2),
        }
    )


def test_labels_of_tokens_are_padded_with_their_own_value():
    rows = np.array([0, 1])
    padding = Padding(pad_token_id=0, fills={"ner_label_ids": -100})
    batch = FeatureSet(table=word_table(), rows=rows, padding=padding).batch(rows)
    assert list(batch) == [
        "input_ids",
        "padding_mask",
        "segment_ids",
        "initial_mask",
        "ner_label_ids",
        "topic_label_ids",
    ]
    assert batch["ner_label_ids"].tolist() == [[-100, 1, 2], [-100, 0, -100]]
    assert batch["initial_mask"].tolist() == [[0, 1, 0], [0, 1, 0]]

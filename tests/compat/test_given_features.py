"""Features that a user's methods give, checked."""

import numpy as np
import pytest
import torch

from farm_ray.data_handler.feature_schema import Role
from farm_ray.data_handler.processor import (
    TextClassificationProcessor,
)
from farm_ray.overrides import report_once
from tests.compat.test_own_features import ROWS, silo_of, the_batch


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda usual: 1 / 0, "ZeroDivisionError"),
        (lambda usual: None, "must return a list of dicts, not NoneType"),
        (lambda usual: [], "samples without features"),
        (lambda usual: [[1, 2]], "not a list of list"),
        (lambda usual: [{**usual, "input_ids": [1, 2]}], "has 2 values; pad or cut it to a flat list of max_seq_len=8"),
        (lambda usual: [{**usual, "input_ids": [[1] * 8]}], "the shape [1, 8]"),
        (lambda usual: [{**usual, "input_ids": ["a"] * 8}], "features are numbers"),
        (lambda usual: [{**usual, "input_ids": [1, [2]]}], '"input_ids" is no array'),
        (lambda usual: [{**usual, "input_ids": [0.5] * 8}], "whole numbers"),
        (lambda usual: [{**usual, "padding_mask": [0] * 8}], "at least one 1"),
        (lambda usual: [{**usual, "padding_mask": [2] * 8}], "1 on real tokens"),
        (lambda usual: [{**usual, "score": [float("nan")]}], "not finite"),
        (lambda usual: [{**usual, "n_tokens": [3]}], "is taken"),
        (lambda usual: [{**usual, 3: [3]}], "must be a string"),
        (lambda usual: [{**usual, "attention_mask": [1] * 8}], 'its name in FARM is "padding_mask"'),
        (lambda usual: [{k: v for k, v in usual.items() if k != "padding_mask"}], 'lack "padding_mask"'),
        (lambda usual: [{k: v for k, v in usual.items() if "label" not in k}], "lack the labels"),
        (lambda usual: [{**usual, "text_classification_label_ids": [2]}], "ids go from 0 to 1"),
        (lambda usual: [{**usual, "text_classification_label_ids": [0, 1]}], "give a list of 1"),
        (lambda usual: [{**usual, "text_classification_label_ids": [0.5]}], "whole numbers"),
    ],
)
def test_bad_features_are_the_rows_problem(make, made, told):
    class Failing(TextClassificationProcessor):
        def _sample_to_features(self, sample):
            (usual,) = super()._sample_to_features(sample)
            return [usual] if "good" in sample.clear_text["text"] else made(usual)

    processor = make(Failing)
    features = processor.featurize(processor.dicts_to_table(ROWS))
    good, bad = features.to_pylist()
    assert good["problem"] is None
    assert bad["input_ids"] is None
    assert told in bad["problem"]["message"]
    assert bad["problem"]["message"].startswith("1: Failing")


def test_arrays_tensors_and_further_features(make, caplog):
    class Rich(TextClassificationProcessor):
        def _sample_to_features(self, sample):
            (features,) = super()._sample_to_features(sample)
            return {
                "input_ids": np.array(features["input_ids"], np.uint16),
                "padding_mask": torch.tensor(features["padding_mask"]),
                "text_classification_label_ids": features["text_classification_label_ids"][0],
                "grid": [[1, 2, 3], [4, 5, 6]],
                "score": 0.5,
            }

    report_once.cache_clear()
    silo = silo_of(make(Rich, dev_split=0.0))
    roles = {one.name: one.role for one in silo.data["train"].tensors}
    assert roles == {
        "input_ids": Role.IDS,
        "padding_mask": Role.MARKS,
        "segment_ids": Role.IDS,
        "text_classification_label_ids": Role.LABELS,
        "grid": Role.OWN,
        "score": Role.OWN,
    }
    batch = the_batch(silo)
    assert batch["grid"].tolist() == [[[1, 2, 3], [4, 5, 6]]] * 2
    assert batch["score"].tolist() == [0.5, 0.5]
    assert batch["segment_ids"].tolist() == [[0] * 8] * 2
    told = [record.getMessage() for record in caplog.records if "Rich makes" in record.getMessage()]
    assert len(told) == 2
    assert "row by row" in told[0]
    assert "grid, score" in told[1]

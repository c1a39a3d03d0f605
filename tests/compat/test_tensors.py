"""Tensors of dicts, as FARM makes them."""

import torch

from farm_ray.data_handler.processor import InferenceProcessor
from tests.tiny import tiny_xlnet

ROWS = [
    {"text": "a good film", "text_classification_label": "OTHER"},
    {"text": "a fool", "text_classification_label": "unheard"},
    {"text": "you are a fool", "text_classification_label": "OFFENSE", "id": "q-3"},
]


def test_tensors_of_training_rows(make):
    dataset, names, problematic = make(max_seq_len=7).dataset_from_dicts(ROWS, indices=[10, 11, 12])
    assert names == ["input_ids", "padding_mask", "segment_ids", "text_classification_label_ids"]
    assert problematic == {11}
    assert [list(tensor.shape) for tensor in dataset.tensors] == [[2, 7], [2, 7], [2, 7], [2, 1]]
    assert {tensor.dtype for tensor in dataset.tensors} == {torch.int64}
    ids, mask, segments, labels = dataset[0]
    assert ids.tolist() == [2, 6, 7, 10, 3, 0, 0]
    assert mask.tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert (segments.tolist(), labels.tolist()) == ([0] * 7, [0])


def test_baskets_mean_inference(make):
    _, names, problematic, baskets = make().dataset_from_dicts(ROWS, return_baskets=True, debug=True)
    assert names == ["input_ids", "padding_mask", "segment_ids"]
    assert problematic == set()
    assert [(basket.id_internal, basket.id_external) for basket in baskets] == [("0", None), ("1", None), ("2", "q-3")]
    (sample,) = baskets[0].samples
    assert sample.clear_text == ROWS[0]
    assert sample.tokenized["tokens"] == ["[CLS]", "a", "good", "film", "[SEP]"]
    assert sample.features[0]["input_ids"] == [2, 6, 7, 10, 3, 0, 0, 0]


def test_padding_on_the_left():
    processor = InferenceProcessor(tiny_xlnet(), 30)
    dataset, _, _ = processor.dataset_from_dicts([{"text": "a film"}])
    ids, mask, segments = dataset[0]
    n_tokens = int(mask.sum())
    assert ids[: 30 - n_tokens].unique().tolist() == [5]
    assert mask.tolist() == [0] * (30 - n_tokens) + [1] * n_tokens
    assert segments[-1].item() == 2


def test_no_row_is_left(make):
    assert make().dataset_from_dicts([{"text": ""}]) == (None, None, {0})
    assert make().dataset_from_dicts([]) == (None, None, set())
    assert make().dataset_from_dicts([], return_baskets=True) == (None, None, set(), [])

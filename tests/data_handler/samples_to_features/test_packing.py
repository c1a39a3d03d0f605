"""Rows filled with sentences, and short texts that share a row."""

import numpy as np
import pytest

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.processor import BertStyleLMProcessor
from farm_ray.data_handler.samples_to_features.packing import _pack, packed_features
from tests.data_handler.samples_to_features.test_sentence_pairs import corpus, samples
from tests.tiny import tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


def words(tokenizer, row):
    return " ".join(tokenizer.convert_ids_to_tokens(row["input_ids"]))


def test_sentences_fill_rows_and_texts_share_them(tokenizer):
    docs = [["a good film", "very nice day"], ["bad"], ["the film was good", "dull"], ["and"]]
    rows = packed_features(samples(docs), tokenizer=tokenizer, max_seq_len=8, packing=True).to_pylist()
    assert [words(tokenizer, row) for row in rows] == [
        "[CLS] a good film very nice day [SEP]",
        "[CLS] bad [SEP] [CLS] and [SEP]",
        "[CLS] the film was good dull [SEP]",
    ]
    assert [row["id"] for row in rows] == ["a.txt@0-0", "a.txt@1-0", "a.txt@2-0"]
    assert rows[1]["text_numbers"] == [0, 0, 0, 1, 1, 1]
    assert rows[1]["word_starts"] == [-1, 1, -1, -1, 1, -1]
    assert "segment_ids" not in rows[0]


def test_each_text_goes_to_the_fullest_row_with_room():
    assert _pack(np.array([6, 7, 4, 3, 3, 10]), 10).tolist() == [0, 1, 0, 1, 2, 3]
    assert _pack(np.array([], np.int64), 10).tolist() == []


def test_packing_fills_rows(tokenizer):
    docs = samples(corpus(500, 4, 8))
    packed = packed_features(docs, tokenizer=tokenizer, max_seq_len=64, packing=True)["n_tokens"].to_numpy()
    single = packed_features(docs, tokenizer=tokenizer, max_seq_len=64, packing=False)["n_tokens"].to_numpy()
    assert packed.sum() == single.sum()
    assert packed.mean() / 64 > 0.97
    assert single.mean() / 64 < 0.35


def test_a_batch_of_packed_rows(tokenizer):
    """Texts of a row see themselves alone and count positions again; the masks are those of the row anywhere."""
    processor = BertStyleLMProcessor(tokenizer, 8, None, next_sent_pred=False)
    features = processor.featurize(samples([["a good film"], ["bad"], ["and", "the", "film"]]))
    rows = FeatureSet(
        table=features, rows=np.arange(features.num_rows), padding=processor.padding(), masking=processor.masking(1)
    )
    assert rows.tensor_names == ["input_ids", "padding_mask", "segment_ids", "lm_label_ids", "position_ids"]
    batch = rows.batch(np.array([1, 0]))
    assert list(batch) == rows.tensor_names
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 4, 0, 0, 0], [0, 1, 2, 3, 4, 0, 1, 2]]
    mask = batch["padding_mask"]
    assert (mask.shape, str(mask.dtype)) == ((2, 8, 8), "torch.int8")
    assert mask[1].tolist() == [[1] * 5 + [0] * 3] * 5 + [[0] * 5 + [1] * 3] * 3
    assert mask[0].sum() == 25 + 3
    assert (batch["lm_label_ids"] >= 0).sum(dim=1).tolist() == [1, 1]
    unmasked = FeatureSet(table=features, rows=np.arange(2), padding=processor.padding())
    assert unmasked.tensor_names == ["input_ids", "padding_mask", "segment_ids", "position_ids"]
    plain = unmasked.batch(np.array([1, 0]))["input_ids"]
    changed = plain != batch["input_ids"]
    assert (batch["lm_label_ids"][changed] == plain[changed]).all()

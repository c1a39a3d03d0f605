"""Documents as tokens: long sentences are cut, refused documents keep their place."""

import pytest
from tokenizers import Tokenizer as Rust
from tokenizers import models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from farm_ray.data_handler.samples_to_features.packing import packed_features
from farm_ray.data_handler.samples_to_features.sentence_pairs import pair_features
from tests.data_handler.samples_to_features.test_sentence_pairs import samples
from tests.tiny import tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


def test_a_long_sentence_is_cut_into_equal_parts(tokenizer):
    docs = [["a " * 13, "bad"]]
    rows = packed_features(samples(docs), tokenizer=tokenizer, max_seq_len=8, packing=False).to_pylist()
    assert [row["n_tokens"] for row in rows] == [6, 6, 8]
    assert [row["clipped"] for row in rows] == [False] * 3


def test_a_document_that_the_tokenizer_refuses_keeps_its_place():
    rust = Rust(models.WordLevel({"[CLS]": 0, "[SEP]": 1, "good": 2, "day": 3, "a": 4}, unk_token="[UNK]"))
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    rust.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rust, cls_token="[CLS]", sep_token="[SEP]")
    docs = samples([["good"], ["good", "bad", "day"], ["day"]])
    rows = packed_features(docs, tokenizer=tokenizer, max_seq_len=8, packing=False).to_pylist()
    assert [row["input_ids"] for row in rows] == [[0, 2, 1], None, [0, 3, 1]]
    assert [row["id"] for row in rows] == ["a.txt@0-0", "a.txt@1", "a.txt@2-0"]
    assert rows[1]["problem"]["kind"] == "cannot tokenize"
    assert "fails at 'bad'" in rows[1]["problem"]["message"]
    pairs = pair_features(docs, tokenizer=tokenizer, max_seq_len=8, style="bert-style", seed=1, epoch=0).to_pylist()
    assert [row["problem"] is None for row in pairs] == [True, False, True]
    assert {tuple(row["input_ids"]) for row in pairs if row["input_ids"]} == {(0, 2, 1, 3, 1), (0, 3, 1, 2, 1)}

import pickle

import pytest

from farm_ray.data_handler.processor import InferenceProcessor
from farm_ray.errors import ConfigError
from tests.data_handler.processor.user_processors import ThirdPartyReader
from tests.raised import raised
from tests.tiny import tiny_roberta


def test_frozen_copies_cannot_be_changed(make):
    processor = make()
    frozen = processor.frozen()
    processor.add_task("text_classification", "acc", ["a", "b"])
    assert frozen.tasks["text_classification"]["label_list"] == ["OTHER", "OFFENSE"]
    for change in (
        lambda: setattr(frozen, "max_seq_len", 3),
        lambda: delattr(frozen, "max_seq_len"),
        lambda: frozen.add_task("other", "acc", ["a", "b"]),
    ):
        with raised(ConfigError, "processor-is-frozen"):
            change()
    processor.max_seq_len = 5
    assert frozen.max_seq_len == 8
    assert frozen.frozen() is frozen
    with pytest.raises(ConfigError):
        frozen.for_inference().max_seq_len = 4


def test_frozen_copies_travel(make):
    frozen = make().frozen()
    there = pickle.loads(pickle.dumps(frozen))
    table = frozen.dicts_to_table([{"text": "a good film", "text_classification_label": "OTHER"}])
    assert there.featurize(table).equals(frozen.featurize(table))
    assert there.fingerprint() == frozen.fingerprint()
    with pytest.raises(ConfigError):
        there.max_seq_len = 3


def test_fingerprint_changes_with_everything_that_decides(make, tokenizer):
    processor = make()
    prints = [
        processor.fingerprint(),
        make(max_seq_len=9).fingerprint(),
        make(label_list=["OFFENSE", "OTHER"]).fingerprint(),
        make(quote_char=None).fingerprint(),
        make(tokenizer=tiny_roberta()).fingerprint(),
        make(ThirdPartyReader).fingerprint(),
        processor.for_inference().fingerprint(),
        InferenceProcessor(tokenizer, 8).fingerprint(),
    ]
    assert len(set(prints)) == len(prints)
    assert make().frozen().fingerprint() == processor.fingerprint() == prints[0]
    processor.add_task("more", lambda preds, labels: 0.5, ["a", "b"], "other")
    assert processor.fingerprint() not in prints


def test_fingerprint_leaves_out_where_rows_lie_and_what_measures_them(make, tmp_path):
    usual = make().fingerprint()
    for elsewhere in (tmp_path, str(tmp_path), "relative"):
        assert make(data_dir=elsewhere, train_filename="other.tsv", dev_split=0.3, metric="acc").fingerprint() == usual


def test_fingerprint_follows_the_tokenizer(make, tmp_path):
    tokenizer = tiny_roberta()
    processor = make(tokenizer=tokenizer)
    before = processor.fingerprint()
    tokenizer(["a film", "a"], padding=True, truncation=True, max_length=5)
    assert processor.fingerprint() == before
    tokenizer.add_tokens(["neverseen"])
    assert processor.fingerprint() != before

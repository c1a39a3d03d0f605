"""Windows of token ids: each word's label on its first token, each word owned once."""

import functools

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm_ray.data_handler import problems
from farm_ray.data_handler.samples_to_features.token import IGNORED, token_features, words_of_windows
from farm_ray.errors import ConfigError
from tests.raised import raised
from tests.tiny import tiny_roberta, tiny_tokenizer, tiny_unigram, tiny_xlnet

MAKERS = {"roberta": tiny_roberta, "unigram": tiny_unigram, "xlnet": tiny_xlnet}


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


def samples(texts, bad=()):
    """Rows of which every word has its number as label, and the row its own."""
    found = [
        problems.at(str(row), stage="s", kind="k", message="m") if row in bad else None for row in range(len(texts))
    ]
    tags = [None if row in bad else list(range(len(text.split()))) for row, text in enumerate(texts)]
    return pa.table(
        {
            "id": pa.array([f"t:{row}" for row in range(len(texts))], pa.string()),
            "text": pa.array([None if row in bad else text for row, text in enumerate(texts)], pa.string()),
            "ner_label_ids": pa.array(tags, pa.list_(pa.int32())),
            "topic_label_ids": pa.array([None if row in bad else [row] for row in range(len(texts))], pa.list_(pa.int64(), 1)),
            "problem": problems.column(found),
        }
    )  # fmt: skip


def features(table, tokenizer, max_seq_len=8, *, overlap=None, inner=IGNORED, labels=("ner_label_ids",)):
    inner_labels = {name: inner for name in labels if name == "ner_label_ids"}
    return token_features(
        table, tokenizer=tokenizer, max_seq_len=max_seq_len, overlap=overlap, label_columns=labels, inner_labels=inner_labels
    )  # fmt: skip


def test_a_text_that_fits(bert):
    (row,) = features(samples(["badly was good"]), bert, inner=77).to_pylist()
    assert row == {
        "id": "t:0-0",
        "dict_id": "t:0",
        "window": 0,
        "input_ids": [2, 8, 30, 11, 7, 3],
        "initial_mask": [0, 1, 0, 1, 1, 0],
        "ner_label_ids": [77, 0, 77, 1, 2, 77],
        "n_tokens": 6,
        "clipped": False,
        "problem": None,
    }


def test_the_types_of_the_columns(bert):
    made = features(samples(["a"]), bert, labels=("topic_label_ids", "ner_label_ids"))
    assert made.column_names == [
        "id", "dict_id", "window", "input_ids", "initial_mask", "topic_label_ids", "ner_label_ids", "n_tokens", "clipped", "problem"
    ]  # fmt: skip
    types = {name: made.schema.field(name).type for name in made.column_names}
    assert (types["window"], types["n_tokens"], types["clipped"]) == (pa.int32(), pa.int32(), pa.bool_())
    assert types["input_ids"] == types["ner_label_ids"] == pa.list_(pa.int32())
    assert types["initial_mask"] == pa.list_(pa.int8())
    assert features(samples([]), bert).schema == features(samples(["a"]), bert).schema


def test_a_text_that_does_not_fit_is_cut_into_windows(bert):
    made = features(
        samples(["a", "the very badly dull film was good"]),
        bert,
        6,
        overlap=2,
        labels=("ner_label_ids", "topic_label_ids"),
    )
    assert made["id"].to_pylist() == ["t:0-0", "t:1-0", "t:1-1", "t:1-2"]
    assert made["window"].to_pylist() == [0, 0, 1, 2]
    the, very, bad, ly, dull, film, was, good = 5, 13, 8, 30, 9, 10, 11, 7
    assert made["input_ids"].to_pylist()[1:] == [
        [2, the, very, bad, ly, 3],
        [2, bad, ly, dull, film, 3],
        [2, dull, film, was, good, 3],
    ]
    assert made["initial_mask"].to_pylist()[1:] == [[0, 1, 1, 1, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 1, 1, 1, 0]]
    no = IGNORED
    assert made["ner_label_ids"].to_pylist()[1:] == [
        [no, 0, 1, 2, no, no],
        [no, no, no, 3, no, no],
        [no, no, 4, 5, 6, no],
    ]
    assert made["topic_label_ids"].to_pylist() == [[0], [1], [1], [1]]


def test_context_is_ignored_also_where_later_tokens_have_a_label(bert):
    made = features(samples(["the very badly dull film was good"]), bert, 6, overlap=2, inner=99)
    no = IGNORED
    assert made["ner_label_ids"].to_pylist() == [[99, 0, 1, 2, 99, 99], [99, no, no, 3, no, 99], [99, no, 4, 5, 6, 99]]


def test_a_word_longer_than_a_window_keeps_its_first_tokens(bert):
    made = features(samples(["a film", "a ?????? film"]), bert, 6)
    assert made["input_ids"].to_pylist()[1:] == [[2, 6, 3], [2, 39, 39, 39, 39, 3], [2, 10, 3]]
    assert made["clipped"].to_pylist() == [False, False, True, False]
    assert made["ner_label_ids"].to_pylist()[2] == [IGNORED, 1, IGNORED, IGNORED, IGNORED, IGNORED]


def test_rows_with_a_problem_are_one_window_without_tokens(bert):
    labels = ("ner_label_ids", "topic_label_ids")
    made = features(samples(["a film", "x", "the", "x"], bad=[1, 3]), bert, labels=labels)
    assert made["id"].to_pylist() == ["t:0-0", "t:1-0", "t:2-0", "t:3-0"]
    assert made["n_tokens"].to_pylist() == [4, 0, 3, 0]
    for name in ("input_ids", "initial_mask", "ner_label_ids"):
        assert made[name].to_pylist()[1] == []
    assert made["topic_label_ids"].to_pylist() == [[0], None, [2], None]
    assert [problem is None for problem in made["problem"].to_pylist()] == [True, False, True, False]


def test_a_text_the_tokenizer_refuses_harms_no_other():
    tokenizer = tiny_unigram()
    state = tokenizer.backend_tokenizer.to_str().replace('"unk_id":3', '"unk_id":null')
    tokenizer._tokenizer = type(tokenizer.backend_tokenizer).from_str(state)
    made = features(
        samples(["a film", "the кино", "the dog"]), tokenizer, 40, labels=("ner_label_ids", "topic_label_ids")
    )
    assert made["problem"].to_pylist()[1]["kind"] == "cannot tokenize"
    assert "fails at the word 'кино'" in made["problem"].to_pylist()[1]["message"]
    assert made["ner_label_ids"].to_pylist()[1] == []
    assert made["topic_label_ids"].to_pylist() == [[0], None, [2]]
    assert [label for label in made["ner_label_ids"].to_pylist()[2] if label != IGNORED] == [0, 1]


def test_segment_ids_where_the_tokenizer_makes_them():
    made = features(samples(["a good film", ""], bad=[1]), tiny_xlnet(), 40)
    assert made["segment_ids"].to_pylist() == [[0] * (made["n_tokens"][0].as_py() - 1) + [2], []]
    assert made.schema.field("segment_ids").type == pa.list_(pa.int8())


def test_inference_has_no_labels(bert):
    table = samples(["a film"]).select(["id", "text", "problem"])
    assert "ner_label_ids" not in features(table, bert, labels=()).column_names


def test_no_room_for_text(bert):
    with raised(ConfigError, "no-room-for-text", option="max_seq_len", value=2):
        features(samples(["a"]), bert, 2)


@pytest.mark.parametrize("cut", range(5))
def test_cut_anywhere(bert, cut):
    given = samples(["a", "x", "the very badly dull film was good", "bad ??????????"], bad=[1])
    parts = [features(given.slice(0, cut), bert, 6), features(given.slice(cut), bert, 6)]
    assert pa.concat_tables(parts).equals(features(given, bert, 6))


def test_words_of_windows_go_with_the_features(bert):
    text = "the very badly dull ?????? was good"
    made = features(samples([text]), bert, 6, overlap=2)
    words = words_of_windows(text, tokenizer=bert, max_seq_len=6, overlap=2)
    assert [of_tokens for of_tokens, _ in words[:2]] == [[None, 0, 1, 2, 2, None], [None, 2, 2, 3, None]]
    for (of_window, own), row in zip(words, made.to_pylist(), strict=True):
        assert len(of_window) == row["n_tokens"]
        owned = [word for word, first in zip(of_window, row["initial_mask"], strict=True) if first]
        assert owned == list(own) == [label for label in row["ner_label_ids"] if label != IGNORED]


@functools.cache
def made_once(kind):
    return MAKERS[kind]()


WORDS = ["the", "badly", "fool", "!!!!", "été", "\u200d", "👩‍👩‍👧", "[SEP]", "a" * 30, "中文字"]


@settings(deadline=None, max_examples=60)
@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join), max_size=5),
    kind=st.sampled_from(["bert", *MAKERS]),
    max_seq_len=st.integers(4, 20),
    overlap=st.none() | st.integers(0, 30),
)
def test_every_word_has_its_label_once_and_nothing_is_too_long(bert, texts, kind, max_seq_len, overlap):
    tokenizer = bert if kind == "bert" else made_once(kind)
    made = features(samples(texts), tokenizer, max_seq_len, overlap=overlap)
    assert pc.max(made["n_tokens"]).as_py() is None or pc.max(made["n_tokens"]).as_py() <= max_seq_len
    rows = made.to_pylist()
    for number, text in enumerate(texts):
        windows = [row for row in rows if row["dict_id"] == f"t:{number}"]
        labels = [label for row in windows for label in row["ner_label_ids"] if label != IGNORED]
        assert labels == list(range(len(text.split())))
        assert sum(sum(row["initial_mask"]) for row in windows) == len(labels)
        assert [row["id"] for row in windows] == [f"t:{number}-{window}" for window in range(len(windows))]

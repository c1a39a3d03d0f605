import pyarrow as pa
import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.samples_to_features.text import text_features
from tests.tiny import tiny_tokenizer, tiny_unigram, tiny_xlnet


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


def samples(texts, bad=()):
    found = [
        problems.at(str(row), stage="s", kind="k", message="m") if row in bad else None for row in range(len(texts))
    ]
    labels = pa.array([None if row in bad else [row] for row in range(len(texts))], pa.list_(pa.int64(), 1))
    ids = pa.array([str(row) for row in range(len(texts))], pa.string())
    columns = {"id": ids, "text": pa.array(texts, pa.string()), "label_ids": labels}
    return pa.table({**columns, "problem": problems.column(found)})


def features(table, tokenizer, max_seq_len=6, label_columns=("label_ids",)):
    return text_features(table, tokenizer=tokenizer, max_seq_len=max_seq_len, label_columns=label_columns)


def test_rows_in_are_rows_out(bert):
    made = features(samples(["a good film", None, "the very very bad film", "a"], bad=[1]), bert)
    assert made["input_ids"].to_pylist() == [[2, 6, 7, 10, 3], [], [2, 5, 13, 13, 8, 3], [2, 6, 3]]
    assert made["n_tokens"].to_pylist() == [5, 0, 6, 3]
    assert made["clipped"].to_pylist() == [False, False, True, False]
    assert made["label_ids"].to_pylist() == [[0], None, [2], [3]]
    assert [one is None for one in made["problem"].to_pylist()] == [True, False, True, True]
    assert made.schema.field("input_ids").type == pa.list_(pa.int32())
    assert made.schema.field("n_tokens").type == pa.int32()
    assert made.column_names == ["id", "input_ids", "label_ids", "n_tokens", "clipped", "problem"]


def test_segment_ids_where_the_tokenizer_makes_them():
    made = features(samples(["a good film", ""], bad=[1]), tiny_xlnet(), 40, ())
    assert made["segment_ids"].to_pylist()[0] == [0] * (made["n_tokens"][0].as_py() - 1) + [2]
    assert made.schema.field("segment_ids").type == pa.list_(pa.int8())
    assert made["segment_ids"].to_pylist()[1] == []


def pairs(texts, second, bad=()):
    return samples(texts, bad).append_column("text_b", pa.array(second, pa.string()))


def test_pairs(bert):
    made = features(pairs(["a good film", None, "the"], ["very bad", "x", "day"], bad=[1]), bert, 7)
    assert made["input_ids"].to_pylist() == [[2, 6, 7, 3, 13, 8, 3], [], [2, 5, 3, 21, 3]]
    assert made["segment_ids"].to_pylist() == [[0, 0, 0, 0, 1, 1, 1], [], [0, 0, 0, 1, 1]]
    assert made["clipped"].to_pylist() == [True, False, False]
    assert made["label_ids"].to_pylist() == [[0], None, [2]]
    for given in (pairs([], []), pairs(["a"], ["b"], bad=[0])):
        assert features(given, bert, 7).schema == made.schema


def test_a_pair_the_tokenizer_refuses_harms_no_other():
    tokenizer = tiny_unigram()
    state = tokenizer.backend_tokenizer.to_str().replace('"unk_id":3', '"unk_id":null')
    tokenizer._tokenizer = type(tokenizer.backend_tokenizer).from_str(state)
    made = features(pairs(["a film", "the dog", "the"], ["the dog", "кино", "a"]), tokenizer, 40)
    assert [length > 0 for length in made["n_tokens"].to_pylist()] == [True, False, True]
    assert made["problem"].to_pylist()[1]["kind"] == "cannot tokenize"


@pytest.mark.parametrize("cut", [0, 1, 2, 4])
def test_cut_anywhere(bert, cut):
    given = samples(["a", "", "a good film of the day", "bad"], bad=[1])
    parts = [features(given.slice(0, cut), bert), features(given.slice(cut), bert)]
    assert pa.concat_tables(parts).equals(features(given, bert))


def test_no_rows(bert):
    assert features(samples([]), bert).schema == features(samples(["a"]), bert).schema


def test_a_text_the_tokenizer_refuses_harms_no_other():
    """A unigram model without an unknown token fails on letters it has never seen."""
    tokenizer = tiny_unigram()
    state = tokenizer.backend_tokenizer.to_str().replace('"unk_id":3', '"unk_id":null')
    tokenizer._tokenizer = type(tokenizer.backend_tokenizer).from_str(state)
    made = features(samples(["a film", "кино", "the dog"]), tokenizer, 40)
    assert [length > 0 for length in made["n_tokens"].to_pylist()] == [True, False, True]
    assert made["label_ids"].to_pylist() == [[0], None, [2]]
    assert made["problem"].to_pylist()[1]["kind"] == "cannot tokenize"
    assert made["input_ids"].to_pylist()[2] == features(samples(["the dog"]), tokenizer, 40)["input_ids"].to_pylist()[0]

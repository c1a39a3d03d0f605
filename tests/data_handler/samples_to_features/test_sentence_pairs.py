"""Pairs of texts: balanced labels, rows that are full, other rows in each epoch."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.samples_to_features.sentence_pairs import pair_features
from tests.tiny import tiny_roberta, tiny_tokenizer

WORDS = ["the", "a", "good", "bad", "film", "day", "nice", "was", "and", "very"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


def samples(docs):
    return pa.table(
        {
            "id": pa.array([f"a.txt@{number}" for number in range(len(docs))], pa.string()),
            "doc": pa.array(docs, pa.list_(pa.string())),
            "problem": problems.none(len(docs)),
        }
    )


def corpus(documents, sentences, words, *, seed=0):
    """Documents of so many sentences of so many words, at most."""
    draw = np.random.default_rng(seed)
    return [
        [" ".join(draw.choice(WORDS, draw.integers(1, words + 1))) for _ in range(draw.integers(1, sentences + 1))]
        for _ in range(documents)
    ]


def pairs(docs, tokenizer, **how):
    settings = {"max_seq_len": 32, "style": "bert-style", "seed": 1, "epoch": 0} | how
    return pair_features(samples(docs), tokenizer=tokenizer, **settings)


def labels(features):
    return pc.list_flatten(features["nextsentence_label_ids"]).to_numpy()


@pytest.mark.parametrize("style", ["bert-style", "sentence"])
@pytest.mark.parametrize(("sentences", "words"), [(20, 12), (1, 12), (2, 6), (1, 300)])
def test_labels_are_balanced(tokenizer, style, sentences, words):
    docs = corpus(3000, sentences, words)
    features = pairs(docs, tokenizer, style=style)
    assert features.num_rows >= 2400
    # A single token cannot be cut in half: such rows are random.
    alone = sum(len(doc) == 1 and " " not in doc[0] for doc in docs) / features.num_rows
    assert labels(features).mean() == pytest.approx(0.5 + alone / 2, abs=0.03)


def test_rows_are_full_but_for_ends_of_documents(tokenizer):
    features = pairs(corpus(200, 40, 12), tokenizer)
    lengths = features["n_tokens"].to_numpy()
    following = labels(features) == 0
    assert (lengths[following] == 32).mean() > 0.75
    assert lengths.max() == 32
    assert not pc.any(features["clipped"]).as_py()


def test_each_epoch_draws_other_pairs(tokenizer):
    docs = corpus(50, 10, 8)
    first = pairs(docs, tokenizer)
    assert pairs(docs, tokenizer).equals(first)
    for other in (pairs(docs, tokenizer, epoch=1), pairs(docs, tokenizer, seed=2)):
        assert not other.equals(first)


def test_a_row_belongs_to_its_document(tokenizer):
    """What a document gives besides borrowed text does not depend on where it stands in the table."""
    docs = corpus(20, 10, 8)
    one = pairs(docs, tokenizer).to_pylist()
    table = samples(docs)
    turned = table.take(pa.array(range(19, -1, -1)))
    other = pair_features(turned, tokenizer=tokenizer, max_seq_len=32, style="bert-style", seed=1, epoch=0).to_pylist()
    by_id = {row["id"]: row["nextsentence_label_ids"] for row in other}
    assert {row["id"]: row["nextsentence_label_ids"] for row in one} == by_id


def test_a_table_without_documents(tokenizer):
    features = pairs([], tokenizer)
    assert features.num_rows == 0
    assert pairs([["a film"], ["a day"]], tokenizer).schema == features.schema


def test_roberta_frames(tmp_path):
    tokenizer = tiny_roberta()
    row = pairs([["good"], ["good"]], tokenizer).to_pylist()[0]
    text = [*row["input_ids"]]
    assert (text[0], text[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
    assert text.count(tokenizer.sep_token_id) == 3
    assert row["segment_ids"] == [0] * len(text)


@pytest.mark.parametrize(
    ("a", "b", "kept"), [(8, 1, (8, 1)), (9, 2, (8, 2)), (2, 9, (2, 8)), (9, 9, (5, 5)), (5, 7, (5, 5))]
)
def test_pairs_of_sentences_lose_the_longer_end(tokenizer, a, b, kept):
    docs = [["the " * a, "good " * b], ["the " * a, "good " * b]] * 4
    rows = pairs(docs, tokenizer, max_seq_len=13, style="sentence").to_pylist()
    following = [row for row in rows if row["nextsentence_label_ids"] == [0]]
    assert following
    for row in following:
        assert (row["segment_ids"].count(0) - 2, row["segment_ids"].count(1) - 1) == kept
        assert row["clipped"] == (a + b > 10)

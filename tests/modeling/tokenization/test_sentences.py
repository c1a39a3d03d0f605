"""Sentences by their distinct words: the ids of every kind of tokenizer are those of the whole sentences."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Rust
from tokenizers import models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from farm_ray.modeling.tokenization.sentences import _is_word_separable, encode_sentences
from tests.tiny import tiny_roberta, tiny_tokenizer, tiny_unigram, tiny_xlnet

KINDS = ["bert", "roberta", "xlmr", "xlnet"]


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    bert = tiny_tokenizer(tmp_path_factory.mktemp("bert"))
    return {"bert": bert, "roberta": tiny_roberta(), "xlmr": tiny_unigram(), "xlnet": tiny_xlnet()}


def whole(tokenizer, sentence):
    """RoBERTa's kind with the space that a word has everywhere but at the start of a text."""
    text = " ".join(sentence.split())
    text = f" {text}" if text and "ByteLevel" in str(tokenizer.backend_tokenizer.pre_tokenizer) else text
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def split(encoded, values):
    return np.split(values, np.cumsum(encoded.tokens_per_sentence)[:-1])


# RoBERTa's kind makes a token of the space before a special token in a text.
# Control characters are whitespace for Python and nothing for BERT; half of a surrogate pair is no text.
sentences = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="<"), max_size=30),
        st.lists(
            st.sampled_from(
                [
                    "the",
                    "film's",
                    "dull,",
                    "naïve",
                    "中文",
                    "👩‍👩‍👧",
                    "e\u0301",
                    "\u0301",
                    "[MASK]",
                    "``",
                    "\u200d",
                    "12.5",
                ]
            ),
            max_size=12,
        ).map(" ".join),
    ),
    max_size=6,
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(texts=sentences)
def test_ids_are_those_of_the_sentences(tokenizers, kind, texts):
    tokenizer = tokenizers[kind]
    assert _is_word_separable(tokenizer)
    encoded = encode_sentences(pa.array(texts, pa.string()), tokenizer=tokenizer)
    assert encoded.refused == {}
    assert [part.tolist() for part in split(encoded, encoded.ids)][: len(texts)] == [
        whole(tokenizer, text) for text in texts
    ]


@pytest.mark.parametrize(
    ("kind", "text", "starts"),
    [
        ("bert", "badly, dull-ish [MASK]", [1, 0, 1, 1, 1, 1, -1]),
        ("roberta", "film!", [1, 0, 0, 1]),
        ("xlmr", "film! film!", None),
    ],
)
def test_words_are_the_tokenizers_own(tokenizers, kind, text, starts):
    encoded = encode_sentences(pa.array([text]), tokenizer=tokenizers[kind])
    if starts is None:
        half = len(encoded.ids) // 2
        starts = ([1] + [0] * (half - 1)) * 2
    assert encoded.word_starts.tolist() == starts


def test_a_tokenizer_without_words_reads_whole_sentences():
    """BPE over text with spaces inside, as SentencePiece BPE models without a pre-tokenizer do it."""
    vocab = {"<unk>": 0, "▁": 1, "a": 2, "b": 3, "a▁": 4, "a▁b": 5}
    rust = Rust(models.BPE(vocab, [("a", "▁"), ("a▁", "b")], unk_token="<unk>"))
    rust.normalizer = normalizers.Replace(" ", "▁")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rust, unk_token="<unk>")
    assert not _is_word_separable(tokenizer)
    encoded = encode_sentences(pa.array(["a b", "b a"]), tokenizer=tokenizer)
    assert [part.tolist() for part in split(encoded, encoded.ids)] == [[5], [3, 1, 2]]


def test_nothing_gives_nothing(tokenizers):
    encoded = encode_sentences(pa.array([], pa.string()), tokenizer=tokenizers["bert"])
    assert (encoded.ids.tolist(), encoded.tokens_per_sentence.tolist()) == ([], [])
    assert encode_sentences(pa.array(["\u200d"]), tokenizer=tokenizers["bert"]).tokens_per_sentence.tolist() == [0]


def test_a_sentence_at_which_the_tokenizer_fails_is_refused():
    rust = Rust(models.WordLevel({"good": 0, "day": 1}, unk_token="[UNK]"))
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rust)
    encoded = encode_sentences(pa.array(["good day", "bad day", "day"]), tokenizer=tokenizer)
    assert encoded.tokens_per_sentence.tolist() == [2, 0, 1]
    assert encoded.ids.tolist() == [0, 1, 1]
    assert list(encoded.refused) == [1]
    assert encoded.refused[1].startswith("it fails at 'bad day'")

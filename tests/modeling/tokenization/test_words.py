"""Words: splitting with offsets, and encoding each word as transformers encodes split texts."""

import functools
import json
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import RobertaTokenizer

from farm_ray.modeling.tokenization import split_with_metadata
from farm_ray.modeling.tokenization.words import encode_words, ranges, split_texts
from tests.modeling.tokenization.test_backend import LetterTokenizer
from tests.tiny import TEXTS, tiny_roberta, tiny_tokenizer, tiny_unigram, tiny_xlnet

HARD = [
    "the 👩‍👩‍👧 was good",
    "na\u0131\u0308ve e\u0301te\u0301 \u0308 film",
    "\u200d \x00 \ufe0f",
    "[CLS] [SEP] <s> <mask> a<mask>b",
    "中文 und Straße",
    "x" * 300,
]


def encode(texts, tokenizer):
    return encode_words(split_texts(pa.array(texts, pa.string())), tokenizer=tokenizer)


def by_text(encoded):
    """Per text the tokens, and the word of each."""
    text_of_word = np.repeat(np.arange(len(encoded.words_per_text)), encoded.words_per_text)
    text_of_token = np.repeat(text_of_word, encoded.tokens_per_word)
    return [
        (encoded.ids[text_of_token == text].tolist(), encoded.word_of_token[text_of_token == text].tolist())
        for text in range(len(encoded.words_per_text))
    ]


def with_space_before_words(tokenizer):
    """The same byte-level tokenizer, loaded as transformers wants it for split texts."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    return RobertaTokenizer(vocab=model["vocab"], merges=merges, add_prefix_space=True)


@pytest.fixture(scope="module", params=["bert", "roberta", "unigram", "xlnet"])
def tokenizer(request, tmp_path_factory):
    makers = {"roberta": tiny_roberta, "unigram": tiny_unigram, "xlnet": tiny_xlnet}
    if request.param == "bert":
        return tiny_tokenizer(tmp_path_factory.mktemp("bert"))
    return makers[request.param]()


def test_words_and_where_they_begin():
    assert split_with_metadata("This is  a\ntest ") == (["This", "is", "a", "test"], [0, 5, 9, 11])
    assert split_with_metadata(" \t") == ([], [])


@settings(deadline=None)
@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \t\n\r\x1c\x85\xa0\u2028\u3000"))))
def test_all_ways_to_split_are_one(text):
    words, starts = split_with_metadata(text)
    assert words == text.split() == split_texts(pa.array([text]))[0].as_py()
    assert [text[start : start + len(word)] for word, start in zip(words, starts, strict=True)] == words


def test_every_character_that_python_takes_for_a_space_splits():
    characters = [chr(code) for code in range(sys.maxunicode) if not 0xD800 <= code < 0xE000]
    split = split_texts(pa.array([f"a{sign}b" for sign in characters]))
    wrong = [
        hex(ord(sign))
        for sign, words in zip(characters, split.to_pylist(), strict=True)
        if (len(words) > 1) != sign.isspace()
    ]
    assert wrong == []


def test_empty_texts_have_no_words():
    assert split_texts(pa.array(["", "a  b", " \n", "c"])).to_pylist() == [[], ["a", "b"], [], ["c"]]
    assert split_texts(pa.array([], pa.string())).to_pylist() == []


def test_tokens_are_those_of_split_texts_in_transformers(tokenizer):
    theirs = with_space_before_words(tokenizer) if isinstance(tokenizer, RobertaTokenizer) else tokenizer
    texts = [*TEXTS[:4], "a", HARD[0], HARD[1], HARD[4], HARD[5]]
    for (ids, words), text in zip(by_text(encode(texts, tokenizer)), texts, strict=True):
        expected = theirs(text.split(), is_split_into_words=True, add_special_tokens=False)
        missing = set(range(len(text.split()))) - set(expected.word_ids())
        with_unknown = sorted(
            [
                *zip(expected.word_ids(), expected["input_ids"], strict=True),
                *((n, tokenizer.unk_token_id) for n in missing),
            ],
            key=lambda pair: pair[0],
        )
        assert list(zip(words, ids, strict=True)) == with_unknown


def test_every_word_has_a_token(tokenizer):
    encoded = encode(HARD, tokenizer)
    assert encoded.words_per_text.tolist() == [len(text.split()) for text in HARD]
    assert encoded.tokens_per_word.min() >= 1
    assert encoded.refused == {}


def test_words_of_which_nothing_is_left_are_unknown(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    assert tokenizer("\u200d", add_special_tokens=False)["input_ids"] == []
    (ids, words), *_ = by_text(encode(["a \u200d\x00 film"], tokenizer))
    assert (ids, words) == ([6, tokenizer.unk_token_id, 10], [0, 1, 2])


@pytest.mark.parametrize("reason", ["makes no token of the word '\\u200d'", "fails at the word 'кино'"])
def test_without_an_unknown_token_the_text_is_refused_and_no_other(reason, tmp_path):
    if "fails" in reason:
        tokenizer = tiny_unigram()
        state = tokenizer.backend_tokenizer.to_str().replace('"unk_id":3', '"unk_id":null')
        tokenizer._tokenizer = type(tokenizer.backend_tokenizer).from_str(state)
        texts = ["a film", "the кино dog", "the dog кино кино", "the dog"]
    else:
        tokenizer = tiny_tokenizer(tmp_path)
        tokenizer.unk_token = None
        texts = ["a film", "the \u200d bad", "\u200d", "the bad"]
    encoded = encode(texts, tokenizer)
    assert sorted(encoded.refused) == [1, 2]
    assert reason in encoded.refused[1]
    assert encoded.words_per_text.tolist() == [2, 0, 0, 2]
    alone = encode([texts[0], texts[3]], tokenizer)
    assert encoded.ids.tolist() == alone.ids.tolist()
    assert encoded.word_of_token.tolist() == alone.word_of_token.tolist()


def test_slow_tokenizers():
    assert by_text(encode(["ab c", "b é"], LetterTokenizer())) == [([1, 2, 3], [0, 0, 1]), ([2, 0], [0, 1])]


def test_the_tokenizer_stays_as_it_was_and_added_tokens_are_seen():
    tokenizer = tiny_roberta()
    tokenizer.backend_tokenizer.enable_padding(length=30)
    tokenizer.backend_tokenizer.enable_truncation(2)
    before = tokenizer.backend_tokenizer.to_str()
    pieces = encode(["quick neverseen"], tokenizer).tokens_per_word.tolist()
    assert pieces[1] > 2
    assert tokenizer.backend_tokenizer.to_str() == before
    tokenizer.add_tokens(["neverseen"])
    assert encode(["quick neverseen"], tokenizer).tokens_per_word.tolist() == [pieces[0], 1]


def test_special_tokens_in_texts_are_split_where_the_tokenizer_splits_them(tmp_path):
    assert encode(["a [SEP]"], tiny_tokenizer(tmp_path)).ids.tolist() == [6, 3]
    tokenizer = tiny_tokenizer(tmp_path)
    tokenizer.split_special_tokens = True
    assert 3 not in encode(["a [SEP]"], tokenizer).ids.tolist()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=5), st.integers(0, 5))
def test_texts_do_not_know_of_each_other(texts, cut):
    tokenizer = byte_level()
    whole = by_text(encode(texts, tokenizer))
    assert whole == by_text(encode(texts[:cut], tokenizer)) + by_text(encode(texts[cut:], tokenizer))


@functools.cache
def byte_level():
    return tiny_roberta()


def test_ranges():
    assert ranges([5, 0, 9], [2, 0, 3]).tolist() == [5, 6, 9, 10, 11]
    assert ranges([], []).tolist() == []

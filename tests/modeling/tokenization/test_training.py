"""Tokenizers learnt from texts: the same each time, whole after saving, and clear about what they cannot do."""

import subprocess
import sys

import pytest
from transformers import AutoTokenizer

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.modeling.tokenization.training import KINDS, train_tokenizer
from tests.modeling.tiny_models import tiny_config
from tests.raised import raised

WORDS = [
    "the",
    "film",
    "was",
    "good",
    "very",
    "dull",
    "movie",
    "nice",
    "day",
    "Über",
    "schöne",
    "Straße",
    "tokenization",
    "internationalization",
]
TEXTS = [" ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 9)) + "." for number in range(300)]
SAMPLE = "The good internationalization, über 12!"


def saved_bytes(tokenizer, folder):
    tokenizer.save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_it_is_the_same(tmp_path, kind, lowercase):
    tokenizer = train_tokenizer(TEXTS, kind=kind, vocab_size=400, lowercase=lowercase, model_max_length=77)
    tokenizer.save_pretrained(tmp_path)
    tiny_config("xlm-roberta" if kind == "unigram" else "bert").save_pretrained(tmp_path)
    for loaded in (Tokenizer.load(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
        assert loaded(SAMPLE, "nice")["input_ids"] == tokenizer(SAMPLE, "nice")["input_ids"]
        assert loaded.model_max_length == 77
        assert len(loaded) == len(tokenizer) <= 400
        assert {loaded.pad_token_id, loaded.mask_token_id} <= set(range(5))
        assert loaded.tokenize(f"good {loaded.mask_token}")[-1] == loaded.mask_token
        lower = lowercase and kind != "byte_bpe"
        assert (loaded.tokenize("Über") == loaded.tokenize("uber")) == lower
    ids = tokenizer("good", "film")["input_ids"]
    begin, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    assert (ids[0], ids[-1]) == (begin, end)
    assert ids.count(end) == (2 if kind == "wordpiece" else 3)


@pytest.mark.parametrize("kind", KINDS)
def test_frequent_words_are_one_token(kind):
    tokenizer = train_tokenizer(TEXTS, kind=kind, vocab_size=400)
    assert len(tokenizer.tokenize("the film was tokenization")) == 4
    assert tokenizer.unk_token not in tokenizer.tokenize(" ".join(WORDS))


def test_the_same_texts_give_the_same_bytes_in_another_process(tmp_path):
    script = (
        "from tests.modeling.tokenization.test_training import *;"
        "[train_tokenizer(TEXTS, kind=kind, vocab_size=300)"
        f".save_pretrained({str(tmp_path / 'other-')!r} + kind) for kind in KINDS]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    for kind in KINDS:
        here = saved_bytes(train_tokenizer(TEXTS, kind=kind, vocab_size=300), tmp_path / kind)
        assert here == {path.name: path.read_bytes() for path in (tmp_path / f"other-{kind}").iterdir()}


def test_lists_of_sentences_are_texts_too():
    whole = train_tokenizer(TEXTS, vocab_size=300)
    assert train_tokenizer([TEXTS[:100], TEXTS[100:]], vocab_size=300).get_vocab() == whole.get_vocab()


def test_rare_characters_of_a_large_alphabet_are_unknown():
    rare = [chr(0x4E00 + number) for number in range(3000)]
    texts = TEXTS * 400 + ["".join(rare)]
    tokenizer = train_tokenizer(texts, kind="wordpiece", vocab_size=2000)
    assert tokenizer.tokenize(rare[-1]) == ["[UNK]"]
    assert tokenizer.tokenize(rare[0]) == [rare[0]]
    assert len(tokenizer.tokenize("tokenization")) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [[], ["", " \n"], [[]]])
def test_no_text(kind, texts):
    with raised(DataProblemError, "no-text"):
        train_tokenizer(texts, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_too_few_tokens_for_the_characters(kind):
    with pytest.raises(ConfigError, match=r"vocab_size=20 is too small.*give (vocab_size=)?\d+ or more") as caught:
        train_tokenizer(TEXTS, kind=kind, vocab_size=20)
    if kind != "byte_bpe":
        enough = int(str(caught.value).rpartition("vocab_size=")[2].split()[0])
        assert len(train_tokenizer(TEXTS, kind=kind, vocab_size=enough)) == enough


def test_unknown_kind():
    with pytest.raises(ConfigError, match=r"kind must be one of .*; did you mean \"wordpiece\""):
        train_tokenizer(TEXTS, kind="wordpieces")
    with pytest.raises(ConfigError, match="must be 1 or more"):
        train_tokenizer(TEXTS, min_frequency=0)

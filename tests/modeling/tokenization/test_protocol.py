"""Tokenizers of transformers have what farm_ray asks of one."""

import pytest

from farm_ray.modeling.tokenization.protocol import TokenizerLike
from tests.modeling.tokenization.test_backend import LetterTokenizer
from tests.tiny import tiny_roberta, tiny_tokenizer, tiny_unigram, tiny_xlnet

WANTED = {name for name in vars(TokenizerLike) if not name.startswith("_")} | set(TokenizerLike.__annotations__)
SLOW_ONLY = {"prepare_for_model"}


def lacking(tokenizer):
    return {name for name in WANTED if not hasattr(tokenizer, name)}


@pytest.mark.parametrize("make", [tiny_roberta, tiny_unigram, tiny_xlnet])
def test_fast_ones(make):
    assert lacking(make()) == SLOW_ONLY


def test_bert_and_a_slow_one(tmp_path):
    assert lacking(tiny_tokenizer(tmp_path)) == SLOW_ONLY
    assert lacking(LetterTokenizer()) == set()

import pytest
from transformers import PreTrainedTokenizer

from farm_ray.errors import ConfigError
from farm_ray.modeling.tokenization.backend import encode_texts, gives_segments, private_copy, tokenizer_bytes
from tests.tiny import TEXTS, tiny_roberta, tiny_tokenizer, tiny_unigram, tiny_xlnet


class LetterTokenizer(PreTrainedTokenizer):
    """A slow tokenizer: one token per letter."""

    model_input_names = ("input_ids", "attention_mask")

    def __init__(self, **kwargs):
        self.letters = {letter: number for number, letter in enumerate("#abcdefghijklmnopqrstuvwxyz")}
        super().__init__(pad_token="#", unk_token="#", **kwargs)

    @property
    def vocab_size(self):
        return len(self.letters)

    def get_vocab(self):
        return dict(self.letters)

    def _tokenize(self, text):
        return list(text.replace(" ", ""))

    def _convert_token_to_id(self, token):
        return self.letters.get(token, 0)

    def _convert_id_to_token(self, index):
        return "#abcdefghijklmnopqrstuvwxyz"[index]


@pytest.fixture(scope="module", params=["bert", "roberta", "unigram", "xlnet", "slow"])
def tokenizer(request, tmp_path_factory):
    makers = {"roberta": tiny_roberta, "unigram": tiny_unigram, "xlnet": tiny_xlnet, "slow": LetterTokenizer}
    if request.param == "bert":
        return tiny_tokenizer(tmp_path_factory.mktemp("bert"))
    return makers[request.param]()


def split(values, lengths):
    ends = lengths.cumsum()
    return [values[end - length : end].tolist() for end, length in zip(ends, lengths, strict=True)]


@pytest.mark.parametrize("max_seq_len", [3, 8, 13, 500])
def test_ids_are_those_of_the_tokenizer(tokenizer, max_seq_len):
    texts = [*TEXTS[:4], "a", "…", "a film " * 40, "ﬁlm\u00a0été\r\n\x00 x"]
    encoded = encode_texts(texts, tokenizer=tokenizer, max_seq_len=max_seq_len)
    theirs = [tokenizer(text, truncation=True, max_length=max_seq_len, return_token_type_ids=True) for text in texts]
    assert split(encoded.ids, encoded.lengths) == [list(one["input_ids"]) for one in theirs]
    whole = [len(tokenizer(text, verbose=False)["input_ids"]) for text in texts]
    assert encoded.clipped.tolist() == [length > max_seq_len for length in whole]
    if encoded.segments is not None:
        assert split(encoded.segments, encoded.lengths) == [list(one["token_type_ids"]) for one in theirs]


@pytest.mark.parametrize("max_seq_len", [6, 9, 14, 500])
def test_ids_of_pairs_are_those_of_the_tokenizer(tokenizer, max_seq_len):
    texts = [*TEXTS[:4], "a", "…", "a film " * 12, "ﬁlm\u00a0été\r\n\x00 x"]
    pairs = [(first, second) for first in texts for second in (texts[1], "a", texts[-2], first)]
    encoded = encode_texts(pairs, tokenizer=tokenizer, max_seq_len=max_seq_len, pairs=True)
    theirs = [tokenizer(*pair, truncation=True, max_length=max_seq_len, return_token_type_ids=True) for pair in pairs]
    assert split(encoded.ids, encoded.lengths) == [list(one["input_ids"]) for one in theirs]
    whole = [len(tokenizer(*pair, verbose=False)["input_ids"]) for pair in pairs]
    assert encoded.clipped.tolist() == [length > max_seq_len for length in whole]
    if encoded.segments is not None:
        assert split(encoded.segments, encoded.lengths) == [list(one["token_type_ids"]) for one in theirs]


def test_exactly_full_is_not_clipped(tokenizer):
    text = TEXTS[1]
    n_tokens = len(tokenizer(text)["input_ids"])
    assert not encode_texts([text], tokenizer=tokenizer, max_seq_len=n_tokens).clipped[0]
    assert encode_texts([text], tokenizer=tokenizer, max_seq_len=n_tokens - 1).clipped[0]


def test_no_texts(tokenizer):
    encoded = encode_texts([], tokenizer=tokenizer, max_seq_len=8)
    assert (len(encoded.ids), len(encoded.lengths), len(encoded.clipped)) == (0, 0, 0)


def test_many_texts_keep_their_order(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    texts = ["a" + " film" * (number % 7) for number in range(2345)]
    assert encode_texts(texts, tokenizer=tokenizer, max_seq_len=50).lengths.tolist() == [n % 7 + 3 for n in range(2345)]


def test_right_end_is_cut_and_the_tokenizer_stays_as_it_was(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    tokenizer.truncation_side = "left"
    tokenizer.backend_tokenizer.enable_padding(length=30)
    before = tokenizer.backend_tokenizer.to_str()
    encoded = encode_texts(["the good bad dull"], tokenizer=tokenizer, max_seq_len=4)
    assert encoded.ids.tolist() == [2, 5, 7, 3]
    assert tokenizer.backend_tokenizer.to_str() == before


def test_tokens_added_later_are_seen(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    assert encode_texts(["neverseen"], tokenizer=tokenizer, max_seq_len=8).ids.tolist() == [2, 1, 3]
    tokenizer.add_tokens(["neverseen"])
    assert encode_texts(["neverseen"], tokenizer=tokenizer, max_seq_len=8).ids.tolist() == [2, 60, 3]
    assert private_copy(tokenizer) is private_copy(tokenizer)


def test_no_room_for_text(tmp_path):
    with pytest.raises(ConfigError, match=r"max_seq_len=2 leaves no room for text.* at least 3"):
        encode_texts(["a"], tokenizer=tiny_tokenizer(tmp_path), max_seq_len=2)


def test_no_room_for_a_pair(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    with pytest.raises(ConfigError, match=r"max_seq_len=4 leaves no room for a pair of texts.* at least 5"):
        encode_texts([], tokenizer=tokenizer, max_seq_len=4, pairs=True)
    pair = ("a good film", "very bad")
    assert encode_texts([pair], tokenizer=tokenizer, max_seq_len=5, pairs=True).ids.tolist() == [2, 6, 3, 13, 3]


def test_segments_only_where_they_are_not_all_zero(tmp_path):
    assert gives_segments(tiny_xlnet())
    assert not gives_segments(tiny_tokenizer(tmp_path))
    assert not gives_segments(LetterTokenizer())
    assert gives_segments(tiny_tokenizer(tmp_path), pairs=True)
    assert gives_segments(tiny_xlnet(), pairs=True)
    assert not gives_segments(tiny_roberta(), pairs=True)
    assert not gives_segments(tiny_unigram(), pairs=True)
    assert not gives_segments(LetterTokenizer(), pairs=True)


def test_bytes_tell_tokenizers_apart_but_not_their_use(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    before = tokenizer_bytes(tokenizer)
    tokenizer("a film", padding="max_length", truncation=True, max_length=7)
    assert tokenizer_bytes(tokenizer) == before
    tokenizer.add_tokens(["neverseen"])
    assert tokenizer_bytes(tokenizer) != before
    assert tokenizer_bytes(LetterTokenizer()) == tokenizer_bytes(LetterTokenizer())

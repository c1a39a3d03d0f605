import pytest

from farm_ray.modeling.tokenization import Tokenizer, tokenize_with_metadata
from tests.modeling.tokenization.test_backend import LetterTokenizer
from tests.tiny import SPECIAL, TEXTS, tiny_roberta, tiny_tokenizer, tiny_unigram

TEXT = "Some Text with neverseentokens plus !215?#. and a combined-token_with/chars"
PIECES = [
    "Some",
    "Text",
    "with",
    "never",
    "##see",
    "##nto",
    "##ken",
    "##s",
    "plus",
    "!",
    "215",
    "?",
    "#",
    ".",
    "and",
    "a",
    "combined",
    "-",
    "token",
    "_",
    "with",
    "/",
    "ch",
    "##ars",
]
OFFSETS = [0, 5, 10, 15, 20, 23, 26, 29, 31, 36, 37, 40, 41, 42, 44, 48, 50, 58, 59, 64, 65, 69, 70, 72]


@pytest.fixture
def cased(tmp_path):
    vocabulary = [*SPECIAL, *dict.fromkeys(PIECES)]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    return Tokenizer.load(tmp_path, tokenizer_class="BertTokenizer", do_lower_case=False)


def test_word_pieces(cased):
    made = tokenize_with_metadata(TEXT, cased)
    assert made["tokens"] == PIECES
    assert made["offsets"] == OFFSETS
    assert made["start_of_word"] == [True] * 4 + [False] * 4 + [True] * 15 + [False]


def test_added_tokens(cased):
    cased.add_tokens(["neverseentokens"])
    made = tokenize_with_metadata(TEXT, cased)
    assert made["tokens"][3] == "neverseentokens"
    assert made["offsets"] == [0, 5, 10, 15, 31, 36, 37, 40, 41, 42, 44, 48, 50, 58, 59, 64, 65, 69, 70, 72]
    assert made["start_of_word"] == [True] * 19 + [False]


@pytest.mark.parametrize("make", [tiny_roberta, tiny_unigram])
@pytest.mark.parametrize("text", [*TEXTS[:4], "a  film\t\nwas \u00a0good", "  a", "a ", "\r\n"])
def test_whitespace_counts_as_one_space_and_offsets_stay_in_the_text(make, text):
    tokenizer = make()
    made = tokenize_with_metadata(text, tokenizer)
    squeezed = " ".join(text.split())
    assert made["tokens"] == tokenizer.tokenize(squeezed)
    words = [place for place in range(len(text)) if not text[place].isspace() and not text[:place][-1:].strip()]
    starts = zip(made["offsets"], made["start_of_word"], strict=True)
    assert set(words) <= {offset for offset, is_start in starts if is_start}
    assert not any(text[offset].isspace() for offset in made["offsets"])


def test_offsets_find_the_tokens_in_the_text(cased):
    text = "a \t token\n\nwith  a chars"
    made = tokenize_with_metadata(text, cased)
    for token, offset in zip(made["tokens"], made["offsets"], strict=True):
        assert text[offset:].startswith(token.removeprefix("##"))


def test_slow_tokenizer_keeps_the_same_contract():
    made = tokenize_with_metadata(" ab\n cü", LetterTokenizer())
    assert made == {
        "tokens": ["a", "b", "c", "ü"],
        "offsets": [1, 2, 5, 6],
        "start_of_word": [True, False, True, False],
    }


def test_empty_text(tmp_path):
    nothing = {"tokens": [], "offsets": [], "start_of_word": []}
    assert tokenize_with_metadata("", tiny_tokenizer(tmp_path)) == nothing
    assert tokenize_with_metadata(" ", LetterTokenizer()) == nothing

import pytest

from farm_ray.modeling.tokenization.frame import frame_of
from tests.modeling.tokenization.test_backend import LetterTokenizer
from tests.tiny import tiny_roberta, tiny_tokenizer, tiny_unigram, tiny_xlnet


class FramedLetters(LetterTokenizer):
    """A slow tokenizer with special tokens."""

    def __init__(self):
        super().__init__(cls_token="x", sep_token="y", special_tokens_pattern="cls_sep")


@pytest.mark.parametrize(
    "make", [tiny_tokenizer, tiny_roberta, tiny_unigram, tiny_xlnet, LetterTokenizer, FramedLetters]
)
def test_frame_and_text_are_what_the_tokenizer_makes(make, tmp_path):
    tokenizer = make(tmp_path) if make is tiny_tokenizer else make()
    frame = frame_of(tokenizer)
    text = tokenizer("bad", add_special_tokens=False)["input_ids"]
    whole = tokenizer("bad", return_token_type_ids=True)
    assert [*frame.before, *text, *frame.after] == whole["input_ids"]
    segments = [*frame.segments_before, *[frame.segment_of_text] * len(text), *frame.segments_after]
    assert segments == whole["token_type_ids"]
    assert frame.size == tokenizer.num_special_tokens_to_add(pair=False)
    assert frame.has_segments == (make is tiny_xlnet)

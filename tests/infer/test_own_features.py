"""A processor that makes its own features answers with them, and embeds with them."""

import pytest

from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.infer import Inferencer


class FirstWord(TextClassificationProcessor):
    def _dict_to_samples(self, dictionary, **_):
        return super()._dict_to_samples({**dictionary, "text": dictionary["text"].split()[0]})


@pytest.fixture
def pair(inferencer):
    """The usual inferencer, and one whose features are of the first word only."""
    usual = inferencer.processor
    mine = FirstWord(
        usual.tokenizer,
        usual.max_seq_len,
        None,
        label_list=usual.tasks["text_classification"]["label_list"],
        metric="acc",
    )
    return inferencer, Inferencer(inferencer.model, mine)


def test_answers(pair):
    usual, mine = pair
    (found,) = mine.inference_from_dicts([{"text": "bad film and good"}, {"text": "  "}, {"no": "text"}])
    (expected,) = usual.inference_from_dicts([{"text": "bad"}])
    first, blank, none = found["predictions"]
    assert first["probability"] == pytest.approx(expected["predictions"][0]["probability"], abs=1e-5)
    assert first["context"] == "bad film and good"
    assert blank["problem"]["kind"] == "empty text"
    assert "FirstWord._dict_to_samples failed (KeyError: 'text')" in none["problem"]["message"]


def test_vectors(pair):
    usual, mine = pair
    (found,) = mine.extract_vectors([{"text": "bad film and good"}])
    (expected,) = usual.extract_vectors([{"text": "bad"}])
    assert found["vec"] == pytest.approx(expected["vec"], abs=1e-5)

"""transformers' pipelines on a folder that is saved here: our answers under our label names."""

import numpy as np
import pytest
from transformers import AutoTokenizer, pipeline

from farm_ray.infer import Inferencer
from farm_ray.modeling.tokenization import Tokenizer
from tests.infer.models import LABELS, make_inferencer, make_kind, make_tagger_with_tone

LONG = " ".join(["the a good bad dull film"] * 8)
TEXTS = ["a good movie", "The dull, bad film!", LONG, "nice"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Makes a folder once for each kind of model."""
    saved = {}

    def make(kind):
        if kind not in saved:
            place = tmp_path_factory.mktemp(kind)
            makers = {"classifier": make_inferencer, "several": make_tagger_with_tone}
            inferencer = makers[kind](place / "base") if kind in makers else make_kind(place / "base", kind)
            inferencer.save(place / "model")
            saved[kind] = place / "model"
        return saved[kind]

    return make


def ours(folder, inputs, **options):
    return Inferencer.load(folder, **options).inference_from_dicts(inputs)


def close(numbers):
    return pytest.approx(np.asarray(numbers, np.float64).tolist(), abs=1e-5)


def test_one_label(folder):
    [answer] = ours(folder("classifier"), [{"text": text} for text in TEXTS])
    theirs = pipeline("text-classification", model=str(folder("classifier")))(TEXTS, truncation=True)
    assert [item["label"] for item in theirs] == [item["label"] for item in answer["predictions"]]
    assert [item["score"] for item in theirs] == close([item["probability"] for item in answer["predictions"]])


def test_several_labels(folder):
    [answer] = ours(folder("multilabel"), [{"text": text} for text in TEXTS])
    classify = pipeline("text-classification", model=str(folder("multilabel")))
    for item, theirs in zip(answer["predictions"], classify(TEXTS, truncation=True, top_k=None), strict=True):
        scores = {entry["label"]: entry["score"] for entry in theirs}
        assert [scores[label] for label in LABELS] == close(item["probability"])


def test_numbers(folder):
    [answer] = ours(folder("regression"), [{"text": text} for text in TEXTS])
    theirs = pipeline("text-classification", model=str(folder("regression")))(TEXTS, truncation=True)
    assert [item["score"] for item in theirs] == close([item["pred"] for item in answer["predictions"]])


def test_pairs(folder):
    pairs = [("a good film", "a nice day"), ("the film", LONG), (LONG, LONG)]
    [answer] = ours(folder("pair"), [{"text": pair} for pair in pairs])
    classify = pipeline("text-classification", model=str(folder("pair")))
    theirs = [classify({"text": a, "text_pair": b}, truncation=True) for a, b in pairs]
    assert [item["score"] for item in theirs] == close([item["probability"] for item in answer["predictions"]])
    assert [item["label"] for item in theirs] == [item["label"] for item in answer["predictions"]]


def test_tags_of_whole_words(folder):
    text = "the good film and a bad day"
    [answer] = ours(folder("ner"), [{"text": text}])
    tag = pipeline("token-classification", model=str(folder("ner")), aggregation_strategy="simple")
    theirs = [(item["entity_group"], item["start"], item["end"]) for item in tag(text)]
    assert theirs
    assert {(item["label"], item["start"], item["end"]) for item in answer["predictions"][0]} == set(theirs)


def test_one_of_several_heads(folder):
    [_, answer] = ours(folder("several"), [{"text": text} for text in TEXTS])
    theirs = pipeline("text-classification", model=str(folder("several") / "prediction_head_1"))(TEXTS, truncation=True)
    assert [item["score"] for item in theirs] == close([item["probability"] for item in answer["predictions"]])
    # The whole folder is an encoder to transformers, which has no answers.
    with pytest.raises(KeyError, match="logits"):
        pipeline("text-classification", model=str(folder("several")))(TEXTS)


def test_the_tokenizer_cuts_there_as_here_and_keeps_its_own_length(folder):
    theirs = AutoTokenizer.from_pretrained(folder("classifier"))
    assert (theirs.model_max_length, theirs.padding_side) == (16, "right")
    assert theirs.tokenize("GOOD") == ["good"]
    assert Tokenizer.load(folder("classifier")).model_max_length == 512
    assert Tokenizer.load(folder("classifier"), model_max_length=20).model_max_length == 20
    again = Inferencer.load(folder("classifier"))
    assert again.processor.tokenizer.model_max_length == 512

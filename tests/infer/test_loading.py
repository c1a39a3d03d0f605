"""Models from other worlds: a plain transformers folder says nothing about its task, but predicts the same."""

from functools import partial

import pytest
import torch

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.infer import Inferencer
from farm_ray.modeling.tokenization import Tokenizer
from tests.infer.models import make_inferencer, make_kind
from tests.modeling.tiny_models import save_tiny_classifier
from tests.raised import raised
from tests.tiny import tiny_tokenizer


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "electra"])
def test_transformers_folder_predicts_as_transformers_does(tmp_path, model_type):
    save_tiny_classifier(model_type, tmp_path)
    tokenizer = tiny_tokenizer(tmp_path)
    from transformers import AutoModelForSequenceClassification

    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        expected = theirs(**tokenizer("the good film", return_tensors="pt")).logits.softmax(-1)[0].tolist()
    ours = Inferencer.load(tmp_path, task_type="text_classification", return_class_probs=True)
    (element,) = ours.inference_from_dicts([{"text": "the good film"}])
    assert element["predictions"][0]["probability"] == pytest.approx(expected, abs=1e-5)
    assert ours.processor.max_seq_len == 40, "not more than the model has positions"


def test_a_transformers_folder_without_a_head_needs_the_task(tiny_folder):
    with pytest.raises(ConfigError, match=r'BertModel.*without a head.*task_type="embeddings"'):
        Inferencer.load(tiny_folder)


@pytest.mark.parametrize(
    ("settings", "task_type"),
    [
        ({}, "text_classification"),
        ({"problem_type": "multi_label_classification"}, "text_classification"),
        ({"labels": ("score",)}, "regression"),
    ],
)
def test_a_transformers_head_says_what_it_is_for(tmp_path, settings, task_type):
    save_tiny_classifier("bert", tmp_path, **settings)
    tiny_tokenizer(tmp_path)
    inferencer = Inferencer.load(tmp_path)
    assert inferencer.task_type == task_type
    dicts = [{"text": "the good film"}, {"text": "very dull"}]
    assert inferencer.inference_from_dicts(dicts) == Inferencer.load(
        tmp_path, task_type=task_type
    ).inference_from_dicts(dicts)


def test_several_labels_from_a_transformers_folder(tmp_path):
    save_tiny_classifier("bert", tmp_path, problem_type="multi_label_classification")
    tokenizer = tiny_tokenizer(tmp_path)
    from transformers import AutoModelForSequenceClassification

    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        expected = theirs(**tokenizer("the good film", return_tensors="pt")).logits.sigmoid()[0].tolist()
    (element,) = Inferencer.load(tmp_path).inference_from_dicts([{"text": "the good film"}])
    (one,) = element["predictions"]
    assert one["probability"] == pytest.approx(expected, abs=1e-5)
    names = theirs.config.id2label
    assert one["labels"] == [names[number] for number, value in enumerate(expected) if value > 0.5]


def test_a_number_from_a_transformers_folder(tmp_path):
    save_tiny_classifier("bert", tmp_path, labels=("score",))
    tokenizer = tiny_tokenizer(tmp_path)
    from transformers import AutoModelForSequenceClassification

    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        expected = theirs(**tokenizer("the good film", return_tensors="pt")).logits.item()
    (element,) = Inferencer.load(tmp_path, task_type="regression").inference_from_dicts([{"text": "the good film"}])
    assert element["predictions"][0]["pred"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "settings",
    [{}, {"problem_type": "multi_label_classification"}, {"labels": ("score",)}],
    ids=["one", "many", "number"],
)
def test_a_converted_model_is_saved_as_ours(tmp_path, settings):
    save_tiny_classifier("bert", tmp_path / "theirs", **settings)
    tiny_tokenizer(tmp_path / "theirs")
    converted = Inferencer.load(tmp_path / "theirs", task_type="text_classification")
    converted.save(tmp_path / "ours")
    dicts = [{"text": "the good film"}, {"text": "very dull"}]
    assert Inferencer.load(tmp_path / "ours").inference_from_dicts(dicts) == converted.inference_from_dicts(dicts)


def test_an_empty_folder_names_what_is_missing(tmp_path):
    with raised(ModelFolderError, "missing-model-file", file="processor_config.json"):
        Inferencer.load(tmp_path)


def test_a_name_the_hub_does_not_have(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with raised(ModelFolderError, "no-such-model", value="no-such-model"):
        Inferencer.load("no-such-model", task_type="text_classification")


@pytest.mark.parametrize("kind", ["classifier", "ner", "embeddings", "pair"])
def test_a_token_that_the_model_does_not_have_is_its_row_s_problem(tmp_path, kind):
    """A token added to the tokenizer alone: on a GPU its id would end the process."""
    make = make_inferencer if kind in {"classifier", "embeddings"} else partial(make_kind, kind=kind)
    make(tmp_path / "encoder").save(tmp_path / "model")
    tokenizer = Tokenizer.load(tmp_path / "model")
    tokenizer.add_tokens(["zebra"])
    tokenizer.save_pretrained(str(tmp_path / "model"))
    (tmp_path / "model" / "checksums.json").unlink()
    inferencer = Inferencer.load(tmp_path / "model", task_type="embeddings" if kind == "embeddings" else None)
    texts = ["a good film", "a zebra", "bad", "the " * 40 + "zebra" if kind == "ner" else "zebra"]
    inputs = [{"text": (text, "day") if kind == "pair" else text} for text in texts]
    answers = inferencer.inference_from_dicts(inputs)
    found = answers if kind == "embeddings" else answers[0].get("problems") or answers[0]["predictions"]
    told = [one if kind == "ner" else one["problem"] for one in found]
    assert [None if problem is None else problem["kind"] for problem in told] == [
        None,
        "unknown token id",
        None,
        "unknown token id",
    ]
    assert inferencer.problematic_sample_ids == {"1", "3"}

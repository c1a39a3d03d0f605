"""From rows to answers, a batch at a time."""

import warnings

import pytest
import torch

from farm_ray.infer import Inferencer
from tests.infer.models import LABELS
from tests.infer.small_inputs import DICTS, predictions


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_batch_size_changes_nothing(model_dir, inferencer, batch_size):
    other = Inferencer.load(model_dir, batch_size=batch_size)
    expected = predictions(inferencer.inference_from_dicts(DICTS))
    found = predictions(other.inference_from_dicts(DICTS))
    assert [one["label"] for one in found] == [one["label"] for one in expected]
    assert [one["probability"] for one in found] == pytest.approx([one["probability"] for one in expected], abs=1e-5)


def test_probability_is_the_softmax_of_the_models_logits(inferencer):
    ids = inferencer.processor.tokenizer("the good film", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        (logits,) = inferencer.model(input_ids=ids, padding_mask=torch.ones_like(ids))
    expected = logits.softmax(-1)[0]
    found = predictions(inferencer.inference_from_dicts([{"text": "the good film"}]))[0]
    assert found["label"] == LABELS[int(expected.argmax())]
    assert found["probability"] == pytest.approx(float(expected.max()), abs=1e-5)


def test_a_cut_text_says_so(inferencer):
    whole, cut = predictions(inferencer.inference_from_dicts([{"text": "the film"}, {"text": "film " * 40}]))
    assert (whole["clipped"], cut["clipped"]) == (False, True)
    assert cut["context"] == "film " * 40


def test_a_weight_that_is_no_number_is_a_problem_not_a_prediction(inferencer):
    with torch.no_grad():
        inferencer.model.prediction_heads[0].feed_forward.feed_forward[0].bias.fill_(float("nan"))
    found = predictions(inferencer.inference_from_dicts(DICTS))
    assert {one["problem"]["kind"] for one in found} == {"not finite"}
    assert {one["label"] for one in found} == {None}


def test_bfloat16_only_when_asked(model_dir, inferencer):
    expected = predictions(inferencer.inference_from_dicts(DICTS))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*bf16")  # told where the processor only emulates it
        found = predictions(Inferencer.load(model_dir, use_amp="bf16").inference_from_dicts(DICTS))
    rough = [one["probability"] for one in found]
    exact = [one["probability"] for one in expected]
    assert rough == pytest.approx(exact, abs=0.2)
    assert rough != exact

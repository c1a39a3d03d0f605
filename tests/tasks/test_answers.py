"""How answers are shown: FARM's JSON, blanks for problems, columns of probabilities."""

from types import SimpleNamespace

import numpy as np
import pytest

from farm_ray.tasks.answers import AnswerForm, class_probabilities, stacked

HEAD = SimpleNamespace(
    num_labels=2,
    format_rows=lambda answers, texts, _probs=False: {
        "task": "t", "predictions": [{"context": text, "label": "a"} for text in texts]
    },
)  # fmt: skip
FORM = {"keys": ("context", "label"), "columns": lambda *_: {}}


def test_more_than_farm_says_stands_in_each_prediction():
    form = AnswerForm(**FORM, more=lambda _head, answers: [{"n": len(answer)} for answer in answers])
    element = form.element(HEAD, [np.zeros(2), np.zeros(2)], ["x", "y"], False)
    assert element["task"] == "t"
    assert element["predictions"] == [{"context": "x", "label": "a", "n": 2}, {"context": "y", "label": "a", "n": 2}]
    with pytest.raises(ValueError, match="shorter"):
        AnswerForm(**FORM, more=lambda *_: [{}]).element(HEAD, [0, 0], ["x", "y"], False)


def test_a_problem_leaves_a_blank_of_the_same_form():
    assert AnswerForm(**FORM).blank("a film") == {"context": "a film", "label": None}
    assert AnswerForm(**FORM, in_lists=True).blank("a film") is None


def test_answers_of_whole_rows_are_one_tensor():
    assert stacked(HEAD, [np.array([1.0, 2.0]), np.array([3.0, 4.0])]).tolist() == [[1, 2], [3, 4]]
    assert stacked(HEAD, []).shape == (0, 2)


def test_a_probability_per_label_name():
    probs = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)
    assert class_probabilities(probs, ["b", "a"]).to_pylist() == [{"b": 0.25, "a": 0.75}, {"b": 1.0, "a": 0.0}]

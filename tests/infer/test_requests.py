"""What a caller sends becomes tables in which every element keeps its place."""

import json

import pytest

from tests.infer.small_inputs import DICTS, predictions

BAD = [
    ({"text": ""}, "empty text"),
    ({"text": " \n"}, "empty text"),
    ({"text": None}, "empty text"),
    ({"label": "good"}, "missing text"),
    ("the film", "not a dict"),
    (None, "not a dict"),
    ({"text": 7}, "not a text"),
    ({"text": ("a", "film")}, "not a text"),
    ({"text": "half a pair \ud800"}, "broken text"),
]


@pytest.mark.parametrize(("bad", "kind"), BAD)
def test_a_bad_input_keeps_its_place(inferencer, bad, kind):
    first, middle, last = predictions(inferencer.inference_from_dicts([DICTS[0], bad, DICTS[1]]))
    assert (middle["label"], middle["probability"], middle["problem"]["kind"]) == (None, None, kind)
    assert middle["problem"]["message"]
    assert inferencer.problematic_sample_ids == {"1"}
    expected = predictions(inferencer.inference_from_dicts(DICTS[:2]))
    assert [one["label"] for one in (first, last)] == [one["label"] for one in expected]
    json.dumps(middle)


def test_only_bad_inputs(inferencer):
    found = predictions(inferencer.inference_from_dicts([bad for bad, _ in BAD]))
    assert [one["problem"]["kind"] for one in found] == [kind for _, kind in BAD]


def test_no_input_is_no_prediction(inferencer):
    assert predictions(inferencer.inference_from_dicts([])) == []


def test_ids_of_the_dicts_win(inferencer):
    dicts = [{"text": "the film", "id": "q-1"}, {"text": "bad"}, {"text": "good", "external_id": 0}]
    assert [one["id"] for one in predictions(inferencer.inference_from_dicts(dicts))] == ["q-1", "1", "0"]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_chunks_change_nothing(inferencer, chunk):
    expected = predictions(inferencer.inference_from_dicts(DICTS))
    found = predictions(inferencer.inference_from_dicts(DICTS, multiprocessing_chunksize=chunk))
    assert [(one["id"], one["label"]) for one in found] == [(one["id"], one["label"]) for one in expected]


def test_streaming_reads_a_generator_as_results_are_asked_for(inferencer):
    taken = []

    def endless():
        for number in range(10**9):
            taken.append(number)
            yield DICTS[number % len(DICTS)]

    results = inferencer.inference_from_dicts(endless(), multiprocessing_chunksize=5, streaming=True)
    assert taken == []
    first, second = next(results), next(results)
    assert len(taken) == 10
    assert [one["id"] for one in second["predictions"]] == ["5", "6", "7", "8", "9"]
    expected = predictions(inferencer.inference_from_dicts(DICTS))
    assert [one["label"] for one in first["predictions"]] == [one["label"] for one in expected]

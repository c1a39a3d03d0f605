import random

from farm_ray.data_handler.utils import (
    expand_labels,
    get_sentence_pair,
    grouper,
    join_sentences,
    pad,
    split_with_metadata,
)
from farm_ray.errors import DataProblemError
from tests.raised import raised


def test_pad():
    given = [1, 2]
    assert (pad(given, 4, 0), pad(given, 4, 0, pad_on_left=True), pad(given, 1, 0)) == (
        [1, 2, 0, 0],
        [0, 0, 1, 2],
        [1, 2],
    )
    assert given == [1, 2]


def test_expand_labels():
    assert expand_labels(["O", "B-PER"], [0, 1, 0, 1, 0], "X") == ["X", "O", "X", "B-PER", "X"]
    assert expand_labels(["O", "B-PER", "O"], [1, 1], "X") == ["O", "B-PER"]
    assert expand_labels(None, [1], "X") is None
    assert expand_labels([], [1], "X") is None
    with raised(DataProblemError, "lengths-differ", value=1):
        expand_labels(["O"], [1, 1], "X")


def test_split_with_metadata():
    assert split_with_metadata("This is  a\ntest ") == (["This", "is", "a", "test"], [0, 5, 9, 11])


def test_grouper():
    assert [[index for index, _ in group] for group in grouper("ABCDEFG", 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert next(grouper("ABCDEFG", 3)) == [(0, "A"), (1, "B"), (2, "C")]
    of_first = [index for group in grouper(range(14), 2, worker_id=0, total_workers=3) for index, _ in group]
    assert of_first == [0, 1, 6, 7, 12, 13]
    assert list(grouper("", 3)) == []


def test_sentence_pairs():
    docs = [["a0", "a1", "a2"], ["b0", "b1"], ["a0", "a1", "a2"]]
    pairs = [get_sentence_pair(docs[0], docs, 1, rng=random.Random(seed)) for seed in range(200)]
    assert {pair for pair in pairs if pair[2]} == {("a1", "a2", True)}
    assert {pair for pair in pairs if not pair[2]} == {("a1", "b0", False), ("a1", "b1", False)}
    assert 70 < sum(pair[2] for pair in pairs) < 130
    with raised(DataProblemError, "no-next-sentence"):
        get_sentence_pair(docs[1], docs, 1)
    with raised(DataProblemError, "too-few-documents"):
        [get_sentence_pair(docs[0], docs[:1], 0) for _ in range(50)]


def test_join_sentences():
    first = {"tokens": ["good", "film", "##s"], "offsets": [0, 5, 9], "start_of_word": [True, True, False]}
    second = {"tokens": ["nice", "day"], "offsets": [0, 5], "start_of_word": [True, True]}
    assert join_sentences([first, second]) == {
        "tokens": ["good", "film", "##s", "nice", "day"],
        "offsets": [0, 5, 9, 11, 16],
        "start_of_word": [True, True, False, True, True],
    }

"""From tags to entities."""

import numpy as np
import pytest

from farm_ray.modeling.prediction_head.entities import convert_iob_to_simple_tags, entities_of, in_iob2


def entities(tags, probs=None):
    """(type, first word, last word) of each entity, with word numbers for spans."""
    preds = tags.split()
    spans = [(number, number) for number in range(len(preds))]
    return [tuple(found[:3]) for found in entities_of(preds, spans, probs or [1.0] * len(preds))]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O B-LOC I-ORG O I-LOC", [("PER", 0, 1), ("LOC", 3, 3)]),
        ("B-PER B-PER", [("PER", 0, 0), ("PER", 1, 1)]),
        ("B-PER I-LOC I-PER", [("PER", 0, 0)]),
        ("O I-PER I-PER", []),
        ("O B-LOC I-LOC I-LOC", [("LOC", 1, 3)]),
        ("B-PER X I-PER", [("PER", 0, 0)]),
        ("B-I-PER I-I-PER", [("I-PER", 0, 1)]),
        ("B-LOC NOUN O", [("LOC", 0, 0)]),
        ("O O O", []),
        ("PER O LOC LOC", [("PER", 0, 0), ("LOC", 2, 2), ("LOC", 3, 3)]),
        ("NOUN VERB", [("NOUN", 0, 0), ("VERB", 1, 1)]),
        ("Bad Idea", [("Bad", 0, 0), ("Idea", 1, 1)]),
        ("", []),
    ],
)
def test_which_words_make_an_entity(tags, expected):
    assert entities(tags) == expected


def test_in_a_scheme_with_iob_other_tags_are_no_entities():
    assert entities_of(["O", "X", "[PAD]"], [(0, 1)] * 3, [1.0] * 3, iob=True) == []


@pytest.mark.parametrize(
    ("labels", "tags", "expected"),
    [
        ("O B-PER I-PER", "I-PER B-PER I-PER O", "I-PER B-PER I-PER O"),
        ("O B-PER I-PER E-PER S-PER", "B-PER I-PER E-PER S-PER O", "B-PER I-PER I-PER B-PER O"),
        ("O B-PER I-PER L-PER U-PER", "U-PER B-PER L-PER", "B-PER B-PER I-PER"),
        ("O I-PER I-LOC", "I-PER I-PER O I-PER I-LOC I-PER", "B-PER I-PER O B-PER B-LOC B-PER"),
        ("O I-PER B-LOC I-LOC", "I-PER I-LOC I-PER", "B-PER I-LOC B-PER"),
        ("O E-mail S-Bahn", "E-mail O S-Bahn", "E-mail O S-Bahn"),
        ("O X I-I-PER", "X I-I-PER I-I-PER", "X B-I-PER I-I-PER"),
        ("O", "", ""),
    ],
)
def test_other_schemes_are_read_as_iob2(labels, tags, expected):
    assert in_iob2(tags.split(), labels.split()) == expected.split()


def test_spans_reach_from_the_first_word_to_the_last():
    tags, spans, probs = convert_iob_to_simple_tags(
        ["O", "B-PER", "I-PER", "O"], [(0, 2), (3, 6), (8, 16), (17, 20)], [0.9, 0.8, 0.7, 0.2]
    )
    assert (tags, spans, probs) == (["PER"], [(3, 16)], [0.7])


def test_the_probability_is_that_of_its_own_least_certain_word():
    _, _, probs = convert_iob_to_simple_tags(
        ["B-PER", "I-PER", "O", "B-LOC", "B-LOC"], [(0, 1)] * 5, [0.6, 0.9, 0.1, 0.8, 0.3]
    )
    assert probs == [0.6, 0.8, 0.3]


def test_probabilities_of_all_labels_come_from_that_word():
    rows = [np.array([0.1, 0.9]), np.array([0.4, 0.6])]
    _, _, [probs] = convert_iob_to_simple_tags(["B-PER", "I-PER"], [(0, 1), (2, 3)], rows)
    assert probs.tolist() == [0.4, 0.6]


def test_columns_of_different_lengths():
    with pytest.raises(ValueError, match="zip"):
        convert_iob_to_simple_tags(["O"], [], [])

"""Spellings of one scheme, and tags that entities cannot be counted in."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.tag_schemes import check_entity_tags, hyphenated


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-PER I-PER X [PAD]", "O B-PER I-PER X [PAD]"),
        ("O B_PER I_PER", "O B-PER I-PER"),
        ("O B-PER_HON I-PER_HON", "O B-PER_HON I-PER_HON"),
        ("O b-per i-per", "O B-per I-per"),
        ("O b_per i_loc", "O B-per I-loc"),
        ("O B-PER M-PER E-PER S-PER", "O B-PER I-PER E-PER S-PER"),
        ("O B I", "O B-entity I-entity"),
        ("O I", "O I-entity"),
        ("O B I E S", "O B-entity I-entity E-entity S-entity"),
        ("O B-PER I-PER B", "O B-PER I-PER B-entity"),
        ("O PER LOC B", "O PER LOC B"),
        ("O S L", "O S L"),
        ("O S_BAHN E-mail", "O S_BAHN E-mail"),
        ("NOUN VERB ADP", "NOUN VERB ADP"),
        ("O", "O"),
        ("", ""),
    ],
)
def test_spellings_of_one_scheme(tags, expected):
    assert hyphenated(tags.split()) == dict(zip(tags.split(), expected.split(), strict=True))


@pytest.mark.parametrize("tags", ["O B-PER I-PER", "O PER LOC", "[PAD] X O B-PER", "O 1 2", "O B I", "O", "O B_PER"])
def test_tags_with_o_are_counted(tags):
    check_entity_tags(tags.split(), metric="seq_f1")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ("0 1 2 3 7", r'the tags \[0, 1, 2, 3, 7\] lack "O" .*write their names in the data .*metric="acc"'),
        ("X 0 1", "write their names in the data"),
        ("0.0 1.0", "write their names in the data"),
        ("o b-per i-per", 'write "O" for "o" in the data'),
        ("0 B-PER I-PER", 'write "O" for "0" in the data'),
        ("B I", r'the tags \[B, I\] lack .*; use metric="acc"$'),
        ("NOUN VERB ADP DET ADJ PRON ADV", r"\[NOUN, VERB, ADP, DET, ADJ, PRON, \.\.\. 7 tags\] lack"),
        ("B-PER I-PER", "seq_f1 counts entities"),
        ("O PER-B PER-I", r"have B and I at their end; write .B-PER. for .PER-B. in the data"),
        ("O PER_B LOC_S", "at their end"),
    ],
)
def test_tags_without_o_are_refused(tags, message):
    with pytest.raises(ConfigError, match=message):
        check_entity_tags(tags.split(), metric="seq_f1")

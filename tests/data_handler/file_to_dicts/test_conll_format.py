import pytest

from farm_ray.data_handler.file_to_dicts.conll_format import conll_format, iob1_to_iob2, simple_types
from farm_ray.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("I-PER I-PER O I-LOC I-ORG B-ORG", "B-PER I-PER O B-LOC B-ORG B-ORG"),
        ("O I-LOC B-LOC I-LOC", "O B-LOC B-LOC I-LOC"),
        ("B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),
        ("O X I-PER", "O X B-PER"),
        ("", ""),
    ],
)
def test_iob1_becomes_iob2(given, expected):
    assert iob1_to_iob2(given.split()) == expected.split()
    assert iob1_to_iob2(expected.split()) == expected.split()


def test_simple_types():
    assert simple_types(["B-LOCderiv", "I-PERpart", "O", "B-ORG"]) == ["B-LOC", "I-PER", "O", "B-ORG"]


def settings(path, **given):
    how = conll_format(path, tag_columns={"ner_label": None, "pos_label": 3}, **given)
    return how.delimiter, how.token_column, how.tag_columns["ner_label"], how.encoding, how.germeval14, how.iob1


def test_what_the_path_tells():
    assert settings("data/train.txt") == ("\t", 0, -1, "utf-8", False, False)
    assert settings("data/conll03-de/train.txt") == (" ", 0, -1, "cp1252", False, True)
    assert settings("data/conll03-en/train.txt") == ("\t", 0, -1, "utf-8", False, True)
    assert settings("s3://bucket/germeval14/train.tsv") == ("\t", 1, -2, "utf-8", True, False)


def test_what_is_given_counts():
    assert settings("conll03-de", delimiter=";", encoding="utf-8", iob1=False) == (";", 0, -1, "utf-8", False, False)
    assert settings("germeval14", token_column=0, germeval14=False) == ("\t", 0, -1, "utf-8", False, False)
    assert conll_format("germeval14", tag_columns={"ner_label": 3}).tag_columns == {"ner_label": 3}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"delimiter": "\n"}, "delimiter must be one character"),
        ({"delimiter": "||"}, "delimiter must be one character"),
        ({"token_column": "text"}, "token_column: a column is a whole number"),
        ({"encoding": "utf-16"}, "cannot be read line by line"),
    ],
)
def test_options_that_cannot_be_meant(given, message):
    with pytest.raises(ConfigError, match=message):
        conll_format("train.txt", tag_columns={}, **given)

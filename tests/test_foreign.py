"""What others wrote: told in a few words, read with bounds."""

import json

import pytest

from farm_ray import foreign
from farm_ray.errors import ConfigError, ModelFolderError
from tests.raised import raised


class PanicException(BaseException):
    pass


def tell(why):
    return ModelFolderError(f"weights: {why}")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RecursionError(), "it is nested too deeply"),
        (MemoryError(), "it takes more memory than there is"),
        (KeyError("name"), "there is no 'name'"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("\n first \n second"), "first"),
        (ValueError("x" * 301), "x" * 299 + "…"),
        (ValueError("a\x1b[31mb"), "a"),
        (ValueError(), "ValueError"),
        (PanicException("index out of range."), "index out of range"),
    ],
)
def test_foreign_errors_in_a_few_words(error, told):
    with pytest.raises(ModelFolderError) as caught, foreign.told(tell):
        raise error
    assert str(caught.value).startswith(f"weights: {told}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("error", [ConfigError("ours"), KeyboardInterrupt(), SystemExit(3)])
def test_ours_and_those_that_end_the_program_pass(error):
    with pytest.raises(type(error)) as caught, foreign.told(tell):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a\nb", "'a\\nb'"), ({"a": [1]}, "{'a': [1]}"), ("x" * 500, "'" + "x" * 98 + "…"), (10**5000, "a int that is")],
    ids=["line break", "mapping", "long", "digits"],
)
def test_values_on_one_short_line(value, shown):
    assert foreign.shown(value).startswith(shown)
    assert len(foreign.shown(value)) <= 100


def test_texts_in_quotes_are_shortened():
    assert foreign.quoted("a b") == '"a b"'
    assert foreign.quoted("x" * 101) == '"' + "x" * 99 + '…"'


def test_files_have_bounds_and_an_encoding(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert foreign.read_text(tmp_path / "a", 5) == "12345"
    with pytest.raises(ValueError, match="more than"):
        foreign.read_text(tmp_path / "a", 4)
    (tmp_path / "a").write_bytes(b"a\xff")
    with pytest.raises(ValueError, match=r"not UTF-8 text \(invalid start byte at byte 2\)"):
        foreign.read_text(tmp_path / "a", 5)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": "\\ud83d"}', "{", ""])
def test_what_is_no_json(text):
    with pytest.raises(ValueError):
        foreign.parse_json(text)
    assert foreign.parse_json('{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_a_mapping_is_wanted(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(["a"]))
    with raised(ModelFolderError, "damaged-json", file="config.json", match="no|not hold a JSON mapping"):
        foreign.read_json(path)
    with raised(ModelFolderError, "damaged-json", match="No such file or directory; make it again"):
        foreign.read_json(tmp_path / "none.json", hint="make it again")


@pytest.mark.parametrize(("text", "wrong"), [("a\0b", True), ("a\ud83d", True), ("über", False)])
def test_texts_that_no_option_can_hold(text, wrong):
    assert (foreign.text_problem(text) is not None) == wrong

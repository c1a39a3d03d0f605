"""YAML as plain values, with bounds."""

import datetime as dt

import pytest
import yaml

from farm_ray.yaml_text import Dumper, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-5", 5e-5),
        ("[1E3, -.5e-1, 1e]", [1000.0, -0.05, "1e"]),
        ("a: 1\nb: &x [1]\nc: *x", {"a": 1, "b": [1], "c": [1]}),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: 2", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("", None),
        ("2024-01-02", dt.date(2024, 1, 2)),
    ],
)
def test_plain_values(text, value):
    assert parse_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3", "'a' is there twice"),
        ("a: {b: 1, b: 2}", "'b' is there twice"),
        ("!!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: &x [*x]", "a value holds itself"),
        ("[" * 500, "nested too deeply"),
        ("2024-13-45", "month"),
        ("a: [1", "expected"),
        ("a: 1\n---\nb: 2", "expected a single document"),
    ],
)
def test_what_is_refused_is_told_on_one_line(text, told):
    with pytest.raises(ValueError, match=told) as caught:
        parse_yaml(text)
    assert "\n" not in str(caught.value)


def test_aliases_that_stand_for_more_than_a_document_holds():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(ValueError, match="more than 1,000,000 values"):
        parse_yaml("\n".join(lines))
    assert len(parse_yaml("\n".join(lines[:4]))["a3"]) == 10


@pytest.mark.parametrize("value", ["1e-3", "2E5", "5e5", "no", "1", "a"])
def test_texts_come_back_as_texts(value):
    assert parse_yaml(yaml.dump({"a": value}, Dumper=Dumper)) == {"a": value}

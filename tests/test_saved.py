"""Saved JSON files are checked against a schema before anything is built from them."""

from pathlib import Path

import pytest

from farm_ray.errors import ModelFolderError
from farm_ray.saved import Count, Finite, Labels, Number, Saved, Share, Width, check_saved
from tests.raised import raised

FILE = Path("folder/model.json")


class Thing(Saved):
    number: Number | None = None
    count: Count = 0
    width: Width = 1
    scale: Finite = 1.0
    share: Share = 0.0
    labels: Labels | None = None


@pytest.mark.parametrize(
    "values",
    [
        {"number": 2**63},
        {"number": True},
        {"count": -1},
        {"width": 0},
        {"width": "3"},
        {"scale": float("inf")},
        {"share": 1.5},
        {"labels": [["a"]]},
        {"labels": "ab"},
    ],
)
def test_bounds_and_types(values):
    (name,) = values
    with raised(ModelFolderError, "damaged-entry", file=str(FILE)) as caught:
        check_saved(Thing, values, FILE)
    assert str(caught.value).startswith(f"{FILE}: {name}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("extra", [{"a": "b\0"}, {"a\0": 1}, {"a": [{"b": ["\ud83d"]}]}])
def test_texts_that_are_none_are_found_at_any_depth(extra):
    with raised(ModelFolderError, "damaged-entry", entry="an entry"):
        check_saved(Thing, {"count": 3, **extra}, FILE)


def test_other_entries_are_no_harm():
    check_saved(Thing, {"number": -(2**63), "labels": ["a", 1, 0.5, None], "new in a later version": {"a": [1]}}, FILE)

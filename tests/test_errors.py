"""Errors keep their message and their facts on the way between processes."""

import pickle
from pathlib import Path

import pytest

from farm_ray import errors


@pytest.mark.parametrize("kind", [errors.ConfigError, errors.DataProblemError, errors.CheckpointError])
def test_errors_travel_whole(kind):
    again = pickle.loads(pickle.dumps(kind("row 7 is bad", file="a.tsv", row=7)))
    assert type(again) is kind
    assert isinstance(again, errors.FarmRayError)
    assert (str(again), again.facts) == ("row 7 is bad", {"file": "a.tsv", "row": 7})
    assert again.code == kind.default_code


def test_a_code_travels_and_survives_other_words():
    error = errors.ConfigError("bad", code="unknown-option", option="a")
    more = error.reworded("fold 2: bad", fold=2)
    for told in (more, pickle.loads(pickle.dumps(more))):
        assert (type(told), str(told), told.code) == (errors.ConfigError, "fold 2: bad", "unknown-option")
        assert told.facts == {"option": "a", "fold": 2}
    assert error.facts == {"option": "a"}


class OneText(errors.DataProblemError):
    """Its constructor takes less than ours."""

    def __init__(self, row):
        super().__init__(f"row {row} is bad", code="bad-row")
        self.row = row


def test_an_error_with_a_constructor_of_its_own_travels_too():
    again = pickle.loads(pickle.dumps(OneText(7).reworded("bad")))
    assert (type(again), str(again), again.code, again.row) == (OneText, "bad", "bad-row", 7)


def test_an_error_of_your_own_needs_no_code():
    assert OneText.default_code == errors.DataProblemError("bad").code == "data"


def test_facts_are_plain_values():
    """Anything else might not arrive: other processes, and JSON, take plain values only."""
    error = errors.ConfigError("bad", a=lambda: 0, b=Path("/x"), c=(1, "s3://key:secret@b/a"), d=None, e=2.5)
    assert error.facts.pop("a").startswith("<function")
    assert error.facts == {"b": "/x", "c": [1, "s3://***@b/a"], "d": None, "e": 2.5}


def test_errors_keep_credentials_to_themselves():
    error = errors.DataProblemError("cannot read s3://key:secret@b/a", file="https://h/a?token=secret", row=7)
    for told in (error, pickle.loads(pickle.dumps(error))):
        assert str(told) == "cannot read s3://***@b/a"
        assert told.facts == {"file": "https://h/a?***", "row": 7}

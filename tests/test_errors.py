"""Errors keep their message and their facts on the way between processes."""

import pickle

import pytest

from farm_ray import errors


@pytest.mark.parametrize("kind", [errors.ConfigError, errors.DataProblemError, errors.CheckpointError])
def test_errors_travel_whole(kind):
    again = pickle.loads(pickle.dumps(kind("row 7 is bad", file="a.tsv", row=7)))
    assert type(again) is kind
    assert isinstance(again, errors.FarmRayError)
    assert (str(again), again.facts) == ("row 7 is bad", {"file": "a.tsv", "row": 7})


def test_errors_keep_credentials_to_themselves():
    error = errors.DataProblemError("cannot read s3://key:secret@b/a", file="https://h/a?token=secret", row=7)
    for told in (error, pickle.loads(pickle.dumps(error))):
        assert str(told) == "cannot read s3://***@b/a"
        assert told.facts == {"file": "https://h/a?***", "row": 7}

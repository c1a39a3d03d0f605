"""What people hand over in place of a list of dicts: rows, or a plain refusal; never column names as texts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from farm_ray.data_handler.given_rows import given_list, given_rows, given_tables
from farm_ray.errors import ConfigError
from tests.raised import raised

ROWS = [{"text": "a", "n": 1}, {"text": "b", "n": 2}]


@pytest.mark.parametrize(
    "given",
    [
        ROWS,
        tuple(ROWS),
        (row for row in ROWS),
        np.array(ROWS),
        pd.Series(ROWS),
        dict(enumerate(ROWS)).values(),
        pd.DataFrame(ROWS, index=["x", "y"]),
        pa.Table.from_pylist(ROWS),
        pa.RecordBatch.from_pylist(ROWS),
        pa.array(ROWS),
        pa.chunked_array([pa.array(ROWS)]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_rows(given):
    assert given_list(given, name="dicts") == ROWS


def test_missing_values_of_a_frame_are_none():
    frame = pd.DataFrame({"text": ["a", None], "id": [1.0, np.nan], "when": [pd.NaT, pd.Timestamp("2026-01-01")]})
    first, second = given_list(frame, name="dicts")
    assert first == {"text": "a", "id": 1.0, "when": None}
    assert (second["text"], second["id"]) == (None, None)


def test_nothing_is_read_of_a_generator():
    def rows():
        raise AssertionError
        yield

    given_rows(rows())
    assert given_list([], name="dicts") == []
    assert given_list(pd.DataFrame(), name="dicts") == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "not one NoneType"),
        (3, "not one int"),
        ("a text", "not one str$"),
        (b"a", "not one bytes"),
        ({"text": "a"}, "not one dict$"),
        ({"text": ["a", "b"]}, "not one dict of columns; give one dict per row"),
        ("new.tsv", "files are read by inference_from_file"),
        (Path("new.tsv"), "files are read by inference_from_file"),
        pytest.param({"a", "b"}, "not one set", id="a set"),
        (np.zeros((2, 2)), "array of 2 dimensions"),
        (np.array("a"), "array of 0 dimensions"),
        (pd.DataFrame([[1, 2]], columns=["text", "text"]), 'two columns "text"'),
    ],
    ids=str,
)
def test_what_is_no_list_of_rows(given, told):
    with pytest.raises(ConfigError, match=told):
        given_rows(given, name="train_dicts")


def test_a_file_is_no_list_of_rows():
    with Path(__file__).open() as file, raised(ConfigError, "invalid-value", option="dicts"):
        given_rows(file)


def test_tables():
    table = pa.table({"id": ["1"], "text": ["a"]})
    assert list(given_tables(table)) == list(given_tables([table])) == list(given_tables(iter([table]))) == [table]
    for given in (pd.DataFrame({"id": ["1"], "text": ["a"]}), [ROWS], [pa.table({"text": ["a"]})], "x", None):
        with raised(ConfigError, "invalid-value", option="tables"):
            list(given_tables(given))

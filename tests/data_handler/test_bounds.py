"""Rows that a language model has no embeddings for are found before it reads them."""

import pyarrow as pa
import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.bounds import Bounds, check_beyond, check_padding, mark_beyond
from farm_ray.data_handler.samples_to_features.padding import Padding
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised

BOUNDS = Bounds(tokens=10, segments=2, positions=4)
IDS = [[2, 9, 3], [2, 10, 3], None, [2, -1, 3], [2, 4, 3], [2, 4, 5, 6, 3]]
SEGMENTS = [[0, 0, 1], [0, 0, 0], None, [0, 0, 0], [0, 2, 0], [0] * 5]


def features(*, windows=None, rows=None, **changes):
    earlier = [None] * len(IDS)
    earlier[2] = problems.at("t.tsv:4", stage="dicts", kind="empty text", message="empty")
    columns = {
        "id": pa.array([f"t.tsv:{n}" for n in range(2, 2 + len(IDS))]),
        "input_ids": pa.array(IDS, pa.list_(pa.int32())),
        "segment_ids": pa.array(SEGMENTS, pa.list_(pa.int8())),
        "n_tokens": pa.array([len(ids or []) for ids in IDS], pa.int32()),
        "problem": problems.column(earlier),
    } | changes
    if windows is not None:
        columns["window"] = pa.array(windows, pa.int32())
    table = pa.table(columns)
    return pa.concat_tables([table.slice(0, 3), table.slice(3)]) if rows is None else table.slice(*rows)


def kinds(table):
    return [None if problem is None else problem["kind"] for problem in table.column("problem").to_pylist()]


def test_rows_beyond_are_marked_and_others_are_left():
    marked = mark_beyond(features(), BOUNDS)
    assert kinds(marked) == [
        None,
        "unknown token id",
        "empty text",
        "unknown token id",
        "unknown segment id",
        "too many tokens",
    ]
    told = marked.column("problem")[1].as_py()
    assert (told["file"], told["line"], told["value"]) == ("t.tsv", 3, "10")
    assert told["message"].startswith("t.tsv:3: token id 10 has no embedding (the language model has 10); use the tok")


def test_what_the_model_does_not_read_is_not_checked():
    assert kinds(mark_beyond(features(), Bounds(tokens=11, segments=None, positions=None))) == [
        None,
        None,
        "empty text",
        "unknown token id",
        None,
        None,
    ]
    table = features(rows=(0, 1))
    assert mark_beyond(table, BOUNDS) is table


def test_all_windows_of_a_text_are_marked():
    assert kinds(mark_beyond(features(windows=[0, 1, 0, 0, 0, 1]), BOUNDS))[:2] == ["unknown token id"] * 2
    assert kinds(mark_beyond(features(windows=[0, 0, 0, 0, 1, 1]), BOUNDS))[3:] == ["unknown token id"] * 3


def test_training_stops_at_the_first():
    with pytest.raises(DataProblemError, match=r"t.tsv:3: token id 10 .*\(and 3 rows more\)"):
        check_beyond(features(), BOUNDS)
    check_beyond(features(rows=(0, 1)), BOUNDS)
    check_beyond(features(rows=(2, 1)), BOUNDS)
    check_beyond(features(rows=(0, 0)), BOUNDS)


def test_features_of_fixed_width():
    ids = pa.array([[1, 2, 3]] * 4 + [[1, 2, 12]] * 2, pa.list_(pa.int64(), 3))
    table = features(input_ids=ids, segment_ids=pa.array([[0, 0, 0]] * 6, pa.list_(pa.int64(), 3)))
    assert kinds(mark_beyond(table, BOUNDS))[4:] == ["unknown token id"] * 2


def test_a_padding_token_without_an_embedding():
    check_padding(Padding(pad_token_id=9), BOUNDS)
    with raised(ConfigError, "token-outside-embeddings", value=10):
        check_padding(Padding(pad_token_id=10), BOUNDS)

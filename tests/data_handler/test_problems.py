"""Problems of rows: where they are, how values are shown, which one counts."""

import pyarrow as pa
import pytest

from farm_ray.data_handler import problems


@pytest.mark.parametrize(
    ("row_id", "place"),
    [
        ("train.tsv:7", ("train.tsv", 7)),
        ("s3://bucket/a.tsv:12", ("s3://bucket/a.tsv", 12)),
        ("q-3", (None, None)),
        (":7", (None, None)),
        ("doc:1-0", (None, None)),
    ],
)
def test_file_and_line_are_read_off_the_id(row_id, place):
    assert problems.place(row_id) == place


@pytest.mark.parametrize(
    ("value", "shown"), [("a" * 81, "a" * 79 + "…"), ("a\nb\x07", "a\\nb\\x07"), (3, "3"), ("ü" * 80, "ü" * 80)]
)
def test_values_are_shortened_to_one_line(value, shown):
    assert problems.shorten(value) == shown


def test_the_first_problem_of_a_row_stays():
    first, second = (problems.at("a:1", stage="s", kind=kind, message="m") for kind in ("first", "second"))
    kept = problems.first_of_each(problems.column([first, None, None]), [second, second, None])
    assert [row and row["kind"] for row in kept.to_pylist()] == ["first", "second", None]


def test_a_table_without_the_column_is_sound():
    assert problems.sound(pa.table({"id": ["a", "b"]})).to_pylist() == [True, True]
    bad = problems.at("a", stage="s", kind="k", message="m")
    assert problems.sound(pa.table({"problem": problems.column([bad, None])})).to_pylist() == [False, True]

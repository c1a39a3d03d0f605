"""Parquet files: any column as text, row groups one after the other, and nothing that is unpickled."""

import datetime as dt
import decimal
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.file_to_dicts import read_rows
from farm_ray.errors import DataProblemError
from tests.raised import raised

DAY = dt.date(2020, 1, 2)


def read(path, columns=None, **options):
    tables = list(read_rows(path, columns=columns or {"text": "text"}, **options))
    return tables, [row for table in tables for row in table.to_pylist()]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", None]), ["a", None]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array([1, None], pa.int8()), ["1", None]),
        (pa.array([1.0, None, float("nan"), 1e22]), ["1.0", None, None, "1e+22"]),
        (pa.array([0.1, 2.0], pa.float32()), ["0.1", "2.0"]),
        (pa.array([True, None]), ["True", None]),
        (pa.array([b"caf\xc3\xa9", None]), ["café", None]),
        (pa.array([["a", "ü"], None]), ['["a", "ü"]', None]),
        (pa.array([{"k": DAY}]), ['{"k": "2020-01-02"}']),
        (pa.array([DAY]), ["2020-01-02"]),
        (pa.array([decimal.Decimal("1.50")]), ["1.50"]),
        (pa.nulls(2), [None, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_any_column_as_text(tmp_path, column, expected):
    pq.write_table(pa.table({"text": column, "more": column}), tmp_path / "a.parquet")
    tables, rows = read(tmp_path / "a.parquet")
    assert [row["text"] for row in rows] == expected
    assert tables[0].schema.field("text").type == pa.string()
    assert not any(row["problem"] for row in rows)


def test_ids_and_tables_over_row_groups(tmp_path):
    pq.write_table(pa.table({"text": [str(n) for n in range(10)]}), tmp_path / "a.parquet", row_group_size=4)
    tables, rows = read(tmp_path / "a.parquet", rows_per_table=3)
    assert [row["id"] for row in rows] == [f"a.parquet:{n}" for n in range(1, 11)]
    assert [row["text"] for row in rows] == [str(n) for n in range(10)]
    assert max(table.num_rows for table in tables) <= 3


def test_rows_that_cannot_be_text(tmp_path):
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"ok", b"\xff"]).buffers())
    pq.write_table(pa.table({"text": broken, "label": ["A", "B"]}), tmp_path / "a.parquet")
    _, rows = read(tmp_path / "a.parquet", {"text": "text", "label": "label"})
    assert [(row["text"], row["label"]) for row in rows] == [("ok", "A"), (None, None)]
    assert rows[1]["problem"]["kind"] == "undecodable"
    assert (rows[1]["problem"]["file"], rows[1]["problem"]["line"]) == ("a.parquet", 2)


def test_long_fields(tmp_path):
    pq.write_table(pa.table({"text": ["12345", "123456", None]}), tmp_path / "a.parquet")
    _, rows = read(tmp_path / "a.parquet", max_field_chars=5)
    assert [row["problem"] and row["problem"]["kind"] for row in rows] == [None, "field too long", None]
    assert rows[1]["text"] is None


def test_files_that_cannot_be_used(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"txt": ["a"]}), path)
    with pytest.raises(DataProblemError, match=r'no column "text"; its columns are "txt"; did you mean "txt"'):
        read(path)
    assert read(path, {"txt": "text", "label": "label"}, optional=["label"])[1][0]["label"] is None
    whole = path.read_bytes()
    for content in (whole[:-10], b"text\tlabel\n", b""):
        path.write_bytes(content)
        with raised(DataProblemError, "damaged-parquet", file="a.parquet"):
            read(path)
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), path)
    with raised(DataProblemError, "empty-file"):
        read(path)


class Evil:
    def __reduce__(self):
        return open, ("evil_was_here", "w")


@pytest.mark.parametrize("nested", [False, True])
def test_pickled_objects_of_ray_are_refused(tmp_path, monkeypatch, nested):
    """Ray registers a type of Arrow whose values are unpickled when they are looked at."""
    import ray.data  # noqa: F401

    monkeypatch.chdir(tmp_path)
    told = {b"ARROW:extension:name": b"ray.data.arrow_pickled_object", b"ARROW:extension:metadata": b""}
    field = pa.field("text", pa.large_binary(), metadata=told)
    column = pa.array([pickle.dumps(Evil())], pa.large_binary())
    if nested:
        column = pa.ListArray.from_arrays([0, 1], column).cast(pa.list_(field.with_name("item")))
        field = pa.field("text", column.type)
    pq.write_table(pa.table([column, pa.array(["a"])], pa.schema([field, pa.field("more", pa.string())])), "a.parquet")
    with raised(DataProblemError, "pickled-columns", file="a.parquet", column="text"):
        read(tmp_path / "a.parquet")
    assert not (tmp_path / "evil_was_here").exists()
    assert next(iter(read_rows("a.parquet", columns={"more": "more"})))["more"].to_pylist() == ["a"]

"""Any table file by suffix, several files, samples."""

import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts import read_rows
from farm_ray.data_handler.file_to_dicts.tables import sampled
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised

COLUMNS = {"text": "text", "label": "task_label"}
ROWS = [{"text": f"text {n}", "label": "AB"[n % 2]} for n in range(20)]
TSV = "text\tlabel\n" + "".join(f"{row['text']}\t{row['label']}\n" for row in ROWS)
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS)


def ids(tables):
    return [row_id for table in tables for row_id in table["id"].to_pylist()]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.tsv").write_text(TSV)
    (tmp_path / "b.TSV.gz").write_bytes(gzip.compress(TSV.encode()))
    (tmp_path / "c.csv.bz2").write_bytes(bz2.compress(TSV.replace("\t", ",").encode()))
    (tmp_path / "d.txt.zst").write_bytes(pa.compress(TSV.encode(), codec="zstd", asbytes=True))
    (tmp_path / "e.jsonl").write_text(JSONL)
    (tmp_path / "f.json").write_text(json.dumps(ROWS))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "g.parquet")
    (tmp_path / "h").write_text(TSV)
    return tmp_path


@pytest.mark.parametrize("name", ["a.tsv", "b.TSV.gz", "c.csv.bz2", "d.txt.zst", "e.jsonl", "f.json", "g.parquet", "h"])
def test_the_reader_by_suffix(folder, name):
    options = {"delimiter": ","} if ".csv" in name else {}
    tables = list(read_rows(folder / name, columns=COLUMNS, rows_per_table=8, **options))
    assert [table.num_rows for table in tables] == [8, 8, 4]
    assert {table.schema for table in tables} == {
        pa.schema({"id": pa.string(), "text": pa.string(), "task_label": pa.string(), "problem": problems.PROBLEM})
    }
    rows = [row for table in tables for row in table.to_pylist()]
    assert [{"text": row["text"], "label": row["task_label"]} for row in rows] == ROWS
    first = {"e": 1, "f": 1, "g": 1}.get(name[0], 2)
    assert [row["id"] for row in rows] == [f"{name}:{n}" for n in range(first, first + 20)]


def test_all_files_of_a_pattern_in_order(folder):
    found = ids(read_rows(folder / "[ab].*", columns=COLUMNS))
    assert found == [f"{name}:{n}" for name in ("a.tsv", "b.TSV.gz") for n in range(2, 22)]


def test_ids_stay_apart_where_file_names_meet(tmp_path):
    for part in ("x", "y"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a.tsv").write_text("text\tlabel\nhello\tA\n")
    assert ids(read_rows(tmp_path / "*" / "a.tsv", columns=COLUMNS)) == ["x/a.tsv:2", "y/a.tsv:2"]


def test_a_sample_is_a_function_of_seed_and_row(folder):
    def sample(count, seed=42, **options):
        return ids(read_rows(folder / "a.tsv", columns=COLUMNS, max_samples=count, seed=seed, **options))

    five = sample(5)
    assert len(set(five)) == 5
    assert five == sorted(five, key=lambda row_id: int(row_id.rpartition(":")[2]))
    assert sample(5, rows_per_table=1) == five
    assert sample(5, rows_per_table=3) == five
    assert set(five) <= set(sample(6))
    assert sample(5, seed=1) != five
    everything = ids(read_rows(folder / "a.tsv", columns=COLUMNS))
    assert [sample(count, rows_per_table=3) for count in (20, 21, 10**9)] == [everything] * 3


@pytest.mark.parametrize("name", ["a.tsv", "b.TSV.gz", "e.jsonl", "f.json", "g.parquet"])
def test_a_sample_is_at_most_what_there_is(folder, name):
    everything = [table.drop_columns("id").to_pylist() for table in read_rows(folder / name, columns=COLUMNS)]
    sampled = [
        table.drop_columns("id").to_pylist() for table in read_rows(folder / name, columns=COLUMNS, max_samples=99)
    ]
    assert sampled == everything
    (few,) = read_rows(folder / name, columns=COLUMNS, max_samples=3)
    assert few.num_rows == 3


def test_a_sample_of_nothing_has_the_columns():
    empty = pa.table({"id": pa.array([], pa.string())})
    assert list(sampled([empty], 3, seed=1)) == [empty]
    assert list(sampled([], 3, seed=1)) == []


def test_a_truncated_file_is_never_read_in_part(folder):
    whole = (folder / "b.TSV.gz").read_bytes()
    (folder / "b.TSV.gz").write_bytes(whole[:-9])
    with pytest.raises(DataProblemError, match=r"b.TSV.gz: the compressed file breaks off"):
        ids(read_rows(folder / "b.TSV.gz", columns=COLUMNS))


def test_missing_files_name_the_nearest(folder):
    with pytest.raises(DataProblemError, match=r"a.tvs: there is no such file; near it are: a.tsv"):
        read_rows(folder / "a.tvs", columns=COLUMNS)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"columns": {}}, "columns is empty"),
        ({"columns": {"text": "id"}}, '"id" cannot be'),
        ({"columns": {"text": "a", "label": "a"}}, '"a" cannot be'),
        ({"max_samples": 0}, "max_samples must be"),
        ({"rows_per_table": 0}, "rows_per_table must be"),
    ],
)
def test_options_that_cannot_be_meant(folder, options, told):
    with pytest.raises(ConfigError, match=told):
        read_rows(folder / "a.tsv", **{"columns": COLUMNS, **options})


def test_unknown_arguments_name_the_nearest(folder):
    with pytest.raises(TypeError, match='no argument "quotechar"; did you mean "quote_char"'):
        read_rows(folder / "a.tsv", columns=COLUMNS, quotechar="'")


@pytest.mark.parametrize("name", ["a.xlsx", "a.zip"])
def test_a_file_that_is_no_table_is_refused_by_its_suffix(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    with raised(DataProblemError, "not-a-table"):
        list(read_rows(tmp_path / name, columns=COLUMNS))

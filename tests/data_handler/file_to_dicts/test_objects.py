import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.file_to_dicts.objects import read_objects
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.data_handler.problems import Problem
from farm_ray.errors import DataProblemError
from tests.raised import raised

ROWS = [
    {"words": ["a", "b"], "tags": ["O", None], "n": 3},
    {"words": "a b", "tags": None},
    {"words": ["c"], "tags": ["O"]},
]


def read(path, rows_per_table=2, **columns):
    wanted = columns or {"words": "text", "tags": "ner_label"}
    file = TableFile(uri=str(path), name=path.name, columns=wanted, rows_per_table=rows_per_table)
    return [
        [(int(row_id.rpartition(":")[2]), row.kind if isinstance(row, Problem) else row) for row_id, row in group]
        for group in read_objects(file)
    ]


def test_json_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n\n".join(map(json.dumps, ROWS)) + "\n[1]\n")
    assert read(path) == [
        [(1, {"text": ["a", "b"], "ner_label": ["O", None]}), (3, {"text": "a b", "ner_label": None})],
        [(5, {"text": ["c"], "ner_label": ["O"]}), (6, "no object")],
    ]
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    assert [n for group in read(tmp_path / "rows.json") for n, _ in group] == [1, 2, 3]


def test_parquet(tmp_path):
    path = tmp_path / "rows.parquet"
    lists = [
        {**row, "words": list(row["words"].split()) if isinstance(row["words"], str) else row["words"]} for row in ROWS
    ]
    pq.write_table(pa.Table.from_pylist(lists), path)
    assert read(path) == [
        [(1, {"text": ["a", "b"], "ner_label": ["O", None]}), (2, {"text": ["a", "b"], "ner_label": None})],
        [(3, {"text": ["c"], "ner_label": ["O"]})],
    ]
    assert read(path, n="number")[0] == [(1, {"number": 3}), (2, {"number": None})]


def test_bytes_that_are_no_text_are_the_problem_of_their_row(tmp_path):
    path = tmp_path / "rows.parquet"
    texts = pa.array([b"a", b"\xff", b"c"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"words": texts}), path)
    assert read(path, words="text") == [[(1, {"text": "a"}), (2, "undecodable")], [(3, {"text": "c"})]]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_columns_that_are_not_there(tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    if suffix == "jsonl":
        path.write_text('{"tokens": ["a"]}\n')
    else:
        pq.write_table(pa.table({"tokens": [["a"]]}), path)
    with raised(DataProblemError, "missing-column", column="words"):
        read(path, words="text")


def test_no_rows(tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n")
    with raised(DataProblemError, "empty-file"):
        read(tmp_path / "rows.jsonl")

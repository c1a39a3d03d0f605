"""Problems of a stream are shown with the lines of their files."""

import pyarrow as pa

from farm_ray.data_handler.data_silo.line_numbers import with_lines
from farm_ray.data_handler.file_to_dicts.splits import Split

SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "file", "message")] + [("line", pa.int64())])


def problems(*ids):
    rows = [{"id": one, "file": one.rpartition(":")[0], "message": f"{one} is bad", "line": 0} for one in ids]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_split_and_line_become_the_line_of_the_file(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_bytes(b"text\n" + b"a\rb\n" * 10)
    splits = [Split(str(path), 0, 25), Split(str(path), 25, 45)]
    shown = with_lines(problems("train.tsv:2", "train.tsv@25:1", "train.tsv@25:3", "other@1:2", "q-7"), splits)
    assert shown["id"].to_pylist() == ["train.tsv:2", "train.tsv:7", "train.tsv:9", "other@1:2", "q-7"]
    assert shown["message"].to_pylist()[1:3] == ["train.tsv:7 is bad", "train.tsv:9 is bad"]
    assert (shown["file"].to_pylist()[1], shown["line"].to_pylist()[1]) == ("train.tsv", 7)


def test_names_stay_where_the_file_has_gone(tmp_path):
    gone = Split(str(tmp_path / "train.tsv"), 25, 45)
    assert with_lines(problems("train.tsv@25:1"), [gone])["id"].to_pylist() == ["train.tsv@25:1"]

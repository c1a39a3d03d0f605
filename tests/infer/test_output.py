"""Files of predictions: formats, whole or not at all, never the input."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.errors import ConfigError
from tests.infer.small_inputs import read_jsonl, texts
from tests.raised import raised


def test_jsonl_rows(inferencer, tsv, tmp_path):
    done = inferencer.predict_file(tsv, tmp_path / "out.jsonl")
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert (done.rows, done.problems, done.output) == (12, {}, str(tmp_path / "out.jsonl"))
    assert done.rows_per_second > 0
    assert [row["id"] for row in rows] == [f"in.tsv:{line}" for line in range(2, 14)]
    assert [row["text"] for row in rows] == texts(12)
    assert set(rows[0]) == {"id", "text", "label", "probability", "clipped", "problem"}
    (element,) = inferencer.inference_from_dicts([{"text": text} for text in texts(12)])
    assert [row["label"] for row in rows] == [one["label"] for one in element["predictions"]]


def test_parquet_holds_the_same(inferencer, tsv, tmp_path):
    inferencer.predict_file(tsv, tmp_path / "out.jsonl")
    inferencer.predict_file(tsv, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == read_jsonl(tmp_path / "out.jsonl")


def test_compressed_jsonl(inferencer, tsv, tmp_path):
    inferencer.predict_file(tsv, tmp_path / "out.jsonl.gz")
    with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as stream:
        assert len(stream.readlines()) == 12


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_no_rows_are_a_valid_file(inferencer, tmp_path, name):
    done = inferencer.predict_file([], tmp_path / name)
    assert done.rows == 0
    if name == "out.parquet":
        assert pq.read_table(tmp_path / name).column_names[:3] == ["id", "text", "label"]
    else:
        assert (tmp_path / name).read_text() == ""


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_an_error_leaves_what_was_there(inferencer, tsv, tmp_path, name):
    (tmp_path / name).write_text("before")

    def broken():
        yield pa.table({"id": ["0"], "text": ["the film"]})
        raise OSError("the source broke off")

    with pytest.raises(OSError, match="the source broke off"):
        inferencer.predict_file(broken(), tmp_path / name)
    assert (tmp_path / name).read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in.tsv", name])


@pytest.mark.parametrize("name", ["out.txt", "out", "out.parquet.gz"])
def test_unknown_output_format(inferencer, tsv, tmp_path, name):
    with pytest.raises(ConfigError, match=r"\.jsonl.*\.parquet"):
        inferencer.predict_file(tsv, tmp_path / name)


def test_input_is_not_overwritten(inferencer, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "the film"}\n')
    with raised(ConfigError, "output-is-input"):
        inferencer.predict_file(path, f"{tmp_path}/./in.jsonl")
    assert path.read_text() == '{"text": "the film"}\n'

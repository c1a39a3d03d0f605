"""Whatever a data file holds: an answer for every row, or exit 2 and one line. No Ray."""

import decimal
import io
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import evaluate, infer, train
from tests.infer.models import make_inferencer, make_kind

TABLE = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf",
    "bytes": bytes(range(256)) * 4,
    "UTF-16": "text\tlabel\na\tgood\n".encode("utf-16"),
    "NUL bytes": b"\0" * 3000,
    "no header": b"good film\tgood\n" * 3,
    "gzip": b"\x1f\x8b\x08\x00\x00",
    "an open quote": b'text\tlabel\n"a\tgood\n' * 3,
    "line breaks": b"\n\n\n\n",
    "5,000 columns": b"text\tlabel\n" + b"\t" * 5000 + b"\n",
    "brackets": b"text\tlabel\n" + b"[" * 5000 + b"\t" + b"[" * 5000 + b"\n",
    "half a character": b"text\tlabel\n\xed\xa0\x80\tgood\n",
}
LINES = {
    "nothing": b"",
    "bytes": bytes(range(256)) * 4,
    "deep": b'{"text":' * 5000 + b"\n",
    "deep lists": b'{"text": ' + b"[" * 900 + b"]" * 900 + b', "label": ' + b"[" * 900 + b"]" * 900 + b"}\n",
    "numbers": b"7\n[1]\nnull\n",
    "5,000 digits": b'{"text": ' + b"1" * 5000 + b', "label": "good"}\n',
    "NaN": b'{"text": NaN, "label": Infinity}\n',
    "half a character": b'{"text": "\\ud83d", "label": "good"}\n',
    "a key twice": b'{"text": "a", "text": "b", "label": "good"}\n',
    "other types": b'{"text": {"a": 1}, "label": ["good"]}\n',
    "UTF-16": '{"text": "a", "label": "good"}\n'.encode("utf-16"),
    "NUL": b'{"text": "a\\u0000b", "label": "good\\u0000"}\n',
    "large numbers": b'{"text": ' + b"9" * 4000 + b', "label": 1e999}\n',
}
LIST = {
    "deep": b"[" * 200_000,
    "numbers": b"[1, 2]",
    "cut off": b'[{"text": "a"},',
    "empty": b"[]",
    "5,000 digits": b"[" + b"1" * 5000 + b"]",
    "lists": b'[[[{"text": "a"}]]]',
}


def parquet(texts, labels=("good",), *, metadata=None):
    out = io.BytesIO()
    table = pa.table({"text": texts, "label": labels if isinstance(labels, pa.Array) else list(labels)})
    pq.write_table(table.replace_schema_metadata(metadata), out)
    return out.getvalue()


GOOD = parquet(["good film"] * 20, ["good", "bad"] * 10)
PARQUET = {
    "nothing": b"",
    "bytes": b"PAR1" + bytes(range(256)) * 4 + b"PAR1",
    "cut off": GOOD[:-20],
    "its begin is missing": GOOD[20:],
    "a damaged page": GOOD[:40] + b"\xff" * 40 + GOOD[80:],
    "a damaged footer": GOOD[:-100] + b"\xff" * 60 + GOOD[-40:],
    "a footer of 2 GB": GOOD[:-8] + b"\xff\xff\xff\x7f" + GOOD[-4:],
    "numbers": parquet([1], [2]),
    "times": parquet(pa.array([2**62], pa.timestamp("us")), pa.array([0], pa.timestamp("us"))),
    "dates": parquet(pa.array([2**30], pa.date32()), pa.array([2**31 - 1], pa.date32())),
    "days": parquet(pa.array([86_400_000 * 10**7], pa.date64())),
    "a zone that is none": parquet(pa.array([2**50], pa.timestamp("us", "Mars/Olympus"))),
    "durations": parquet(pa.array([2**62], pa.duration("us"))),
    "decimals": parquet(pa.array([decimal.Decimal("1e30")])),
    "bytes in cells": parquet(pa.array([b"\xff\xfe"]), pa.array([b"\xff"])),
    "maps": parquet(pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32()))),
    "structs": parquet([{"a": {"b": [1]}}], [{"x": 1}]),
    "nulls": parquet(pa.nulls(3), pa.nulls(3)),
    "no rows": parquet(pa.array([], pa.string()), pa.array([], pa.string())),
    "wrong metadata": parquet(["a"], metadata={"pandas": "{[", "ARROW:schema": "x"}),
}
FILES = {"t.tsv": TABLE, "t.jsonl": LINES, "t.json": LIST, "t.parquet": PARQUET}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("garbage")
    make_inferencer(folder / "encoder").save(folder / "classes")
    make_kind(folder / "other encoder", "ner").save(folder / "tags")
    return folder


def answers_or_one_line(capsys, job, argv, what):
    code = job.main([str(part) for part in argv])
    err = capsys.readouterr().err
    assert code in {0, 2}, (what, err)
    assert "Traceback" not in err, (what, err)
    assert "unexpected" not in err, (what, err)
    if code == 2:
        assert len(err.strip().splitlines()[-1]) < 1500, what
    return code


@pytest.mark.parametrize("model", ["classes", "tags"])
@pytest.mark.parametrize("file", FILES)
def test_a_data_file(models, tmp_path, capsys, model, file):
    if (model, file) == ("tags", "t.tsv"):
        file = "t.txt"
    for name, content in FILES.get(file, TABLE).items():
        (tmp_path / file).write_bytes(content)
        out = tmp_path / "out.jsonl"
        for job, argv in (
            (infer, [models / model, tmp_path / file, out, "--num-actors", "0", "--resume", "never"]),
            (evaluate, [models / model, tmp_path / file]),
        ):
            answers_or_one_line(capsys, job, argv, (job.__name__, name))


@pytest.mark.parametrize("file", FILES)
def test_a_training_file(models, tmp_path, capsys, file):
    """Reading stops before a model is trained: the labels are others."""
    settings = [f"train_filename={file}", "label_list=[x,y]", "dev_split=0", "max_seq_len=16"]
    flags = [part for setting in settings for part in ("--set", f"processor.{setting}")]
    for name, content in FILES[file].items():
        (tmp_path / file).write_bytes(content)
        argv = ["pipelines.text_classification", "--data-dir", tmp_path, "--model", models / "classes", *flags]
        argv += ["--num-workers", "0", "--output-dir", tmp_path / "run"]
        assert answers_or_one_line(capsys, train, argv, name) == 2, name


def test_names_that_are_no_text_and_folders_in_the_place_of_files(models, tmp_path, capsys):
    """A folder is listed, and what it holds has names of its own."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "folder.tsv").mkdir()
    (data / ("n" * 250 + ".tsv")).write_text("text\tlabel\na film\tgood\n")
    with open(os.fsencode(data) + b"/\xff\xfe.tsv", "wb") as odd:  # noqa: PTH123 - its name is no text
        odd.write(b"text\tlabel\na film\tgood\n")
    for place in (data, data / "folder.tsv", "n" * 300, tmp_path / ("n" * 300), "a\0b", "/dev/null", "//", "*" * 50):
        out = [tmp_path / "out.jsonl", "--num-actors", "0", "--resume", "never"]
        answers_or_one_line(capsys, infer, [models / "classes", place, *out], place)
        answers_or_one_line(capsys, evaluate, [models / "classes", place], place)

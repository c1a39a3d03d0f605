"""A file without rows among others is told and left out; a set of such files is refused."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.file_to_dicts import read_rows
from farm_ray.data_handler.file_to_dicts.empty_files import filled_files
from farm_ray.data_handler.utils import read_ner_file
from farm_ray.errors import DataProblemError
from tests.raised import raised

COLUMNS = {"text": "text"}


def parquet(texts):
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), sink)
    return sink.getvalue()


KINDS = {
    "csv": (b"text\na\n", [b"", b"text\n", b"text\r\n\r\n,\n", b"\n\n", b"\xef\xbb\xbftext", b"\xef\xbb\xbf"]),
    "jsonl": (b'{"text": "a"}\n', [b"", b"\n \n", b"\xef\xbb\xbf"]),
    "json": (b'[{"text": "a"}]', [b"", b"[]"]),
    "parquet": (parquet(["a"]), [parquet([])]),
}


@pytest.mark.parametrize(
    ("suffix", "empty"), [(suffix, one) for suffix, (_, empties) in KINDS.items() for one in empties]
)
def test_an_empty_part_among_others_is_told_once(tmp_path, caplog, suffix, empty):
    filled = KINDS[suffix][0]
    for number, content in enumerate([empty, filled, empty]):
        (tmp_path / f"part-{number}.{suffix}").write_bytes(content)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / f".part-0.{suffix}.crc").write_bytes(b"\0")

    def read(file):
        return read_rows(file, columns=COLUMNS, delimiter=",")

    def read_split(split):
        return read(split.file)

    assert [text for table in read(tmp_path) for text in table["text"].to_pylist()] == ["a"]
    (told,) = caplog.messages
    assert told.endswith(f"part-2.{suffix}: no rows, left out")
    assert f"part-0.{suffix}" in told
    files = [str(tmp_path / f"part-{number}.{suffix}") for number in range(3)]
    assert filled_files(files, read_split) == files[1:2]
    assert caplog.messages == [told, told]
    assert filled_files([files[0], files[2]], read_split) == [files[0], files[2]]
    assert filled_files(files[:1], read_split) == files[:1]
    (tmp_path / f"part-1.{suffix}").unlink()
    with raised(DataProblemError, "empty-file", file=f"part-0.{suffix}"):
        list(read(tmp_path))


def test_a_broken_file_among_others_is_not_an_empty_one(tmp_path):
    (tmp_path / "a.csv").write_text("text\na\n")
    (tmp_path / "b.csv").write_text("other\n")
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert filled_files(files, lambda split: read_rows(split.file, columns=COLUMNS)) == files
    with raised(DataProblemError, "missing-column", column="text", file="b.csv"):
        list(read_rows(tmp_path, columns=COLUMNS))


@pytest.mark.parametrize("empty", ["", "\n\n", "-DOCSTART- O\n"])
def test_an_empty_file_of_words(tmp_path, empty):
    (tmp_path / "a.txt").write_text("he\tO\n")
    (tmp_path / "b.txt").write_text(empty)
    assert read_ner_file(tmp_path) == [{"text": "he", "ner_label": ["O"]}]

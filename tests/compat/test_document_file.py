"""FARM's reader of documents, and big files split into parts."""

import logging

import pytest

from farm_ray.data_handler.utils import read_docs_from_txt, split_file
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised


@pytest.fixture
def file(tmp_path):
    def write(content):
        (tmp_path / "a.txt").write_bytes(content)
        return tmp_path / "a.txt"

    return write


def test_documents(file, caplog):
    path = file(b"one\n two \r\n\nthree\n\n\n\nfour")
    with caplog.at_level(logging.WARNING):
        docs = list(read_docs_from_txt(path))
    assert docs == [{"doc": ["one", "two"]}, {"doc": ["three"]}, {"doc": ["four"]}]
    assert [record.args[1] for record in caplog.records] == [6, 7]
    assert list(read_docs_from_txt(path, max_docs=1)) == [{"doc": ["one", "two"]}]


def test_another_delimiter(file):
    assert list(read_docs_from_txt(file(b"one\n\n###\ntwo\n###\n"), delimiter="###")) == [
        {"doc": ["one"]},
        {"doc": ["two"]},
    ]


def test_less_than_two_documents(file):
    reading = read_docs_from_txt(file(b"one\ntwo\n\n"))
    assert next(reading) == {"doc": ["one", "two"]}
    with pytest.raises(ValueError, match="holds 1 documents, at least 2 are needed"):
        next(reading)


def test_what_is_no_text(file):
    with raised(DataProblemError, "unreadable-line", file="a.txt", row=3):
        list(read_docs_from_txt(file(b"one\n\n\xff\n")))


@pytest.mark.parametrize(
    ("content", "sizes"),
    [(b"one\ntwo\n\nthree\n\nfour\r\n \r\n\r\nfive", [16, 15]), (b"\n\none\n\n", [7]), (b"", [])],
)
def test_split_file(file, tmp_path, content, sizes):
    split_file(file(content), tmp_path / "parts", docs_per_file=2)
    parts = [tmp_path / "parts" / f"part_{number + 1}" for number in range(len(sizes))]
    assert b"".join(part.read_bytes() for part in parts) == content
    assert [part.stat().st_size for part in parts] == sizes
    assert not (tmp_path / "parts" / f"part_{len(sizes) + 1}").exists()
    with raised(ConfigError, "invalid-value", option="docs_per_file"):
        split_file(tmp_path / "a.txt", tmp_path, docs_per_file=0)

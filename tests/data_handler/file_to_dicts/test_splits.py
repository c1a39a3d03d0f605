"""Splits of one file: of equal length, settled where rows begin, and covering it."""

import gzip

import pytest

from farm_ray.data_handler.file_to_dicts import splits
from farm_ray.data_handler.file_to_dicts.splits import BLANK_LINE, LINE, Split, count_lines, cut, open_split, settled


def write(folder, content):
    path = folder / "file.txt"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("piece", [3, 4, 1 << 20])
@pytest.mark.parametrize(
    ("border", "content", "size", "starts"),
    [
        (BLANK_LINE, b"ab\n\ncd\n\nef\n", 3, [0, 4, 8]),
        (BLANK_LINE, b"ab\n\ncd\n\nef\n", 5, [0, 8]),
        (BLANK_LINE, b"ab\r\n\r\ncd\r\n\r\n", 6, [0, 6]),
        (BLANK_LINE, b"ab\n\n\n\ncd\n", 3, [0, 4, 6]),
        (BLANK_LINE, b"ab\ncd\nef\n", 2, [0, 9, 9, 9]),
        (LINE, b"ab\ncd\nef\n", 2, [0, 3, 6, 6]),
        (LINE, b"ab\ncd\nef\n", 3, [0, 3, 6]),
        (LINE, b"ab\ncd\nef", 4, [0, 6]),
    ],
)
def test_settled_splits_meet_and_cover_the_file(tmp_path, monkeypatch, piece, border, content, size, starts):
    monkeypatch.setattr(splits, "_PIECE", piece)
    found = [settled(split, border) for split in cut(write(tmp_path, content), size)]
    assert [split.start for split in found] == starts
    read = []
    for split in found:
        with open_split(split) as file:
            read.append(file.read())
        assert count_lines(split) == read[-1].count(b"\n")
    assert b"".join(read) == content


def test_small_compressed_and_web_files_are_one_split(tmp_path):
    packed = tmp_path / "file.txt.gz"
    packed.write_bytes(gzip.compress(b"ab\n\n" * 100))
    small = write(tmp_path, b"ab\ncd\n")
    for file in (str(packed), "http://127.0.0.1:1/file.txt"):
        assert cut(file, 2) == [Split(file)]
    assert cut(small, 4) == [Split(small)]

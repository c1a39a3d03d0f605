"""Byte ranges of one file: they begin behind blank lines, cover it, and know their line numbers."""

import gzip

import pytest

from farm_ray.data_handler.file_to_dicts import ranges
from farm_ray.data_handler.file_to_dicts.ranges import ByteRange, count_lines, cut_at_blank_lines, numbered, open_range


def write(folder, content):
    path = folder / "file.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("piece", [3, 4, 1 << 20])
@pytest.mark.parametrize(
    ("content", "size", "expected"),
    [
        (b"ab\n\ncd\n\nef\n", 3, [(0, 4), (4, 8), (8, 11)]),
        (b"ab\n\ncd\n\nef\n", 4, [(0, 4), (4, 8), (8, 11)]),
        (b"ab\n\ncd\n\nef\n", 5, [(0, 8), (8, 11)]),
        (b"ab\r\n\r\ncd\r\n\r\n", 2, [(0, 6), (6, 12)]),
        (b"ab\n\n\n\ncd\n", 3, [(0, 4), (4, 6), (6, 9)]),
        (b"ab\ncd\nef\n", 2, [(0, 9)]),
        (b"ab\n\n", 4, []),
        (b"", 1, []),
    ],
)
def test_cuts(tmp_path, monkeypatch, piece, content, size, expected):
    monkeypatch.setattr(ranges, "_PIECE", piece)
    path = write(tmp_path, content)
    cuts = cut_at_blank_lines(path, range_bytes=size)
    assert cuts == expected
    parts = []
    for start, end in cuts or [(0, len(content))]:
        with open_range(path, start, end) as file:
            parts.append(file.read())
        assert count_lines(path, start, end) == parts[-1].count(b"\n")
    assert b"".join(parts) == content


def test_line_numbers():
    assert numbered([(0, 10), (10, 20), (20, 30)], [3, 0, 4]) == [
        ByteRange(0, 10, 1),
        ByteRange(10, 20, 4),
        ByteRange(20, 30, 4),
    ]


def test_compressed_and_web_files_are_not_cut(tmp_path):
    path = tmp_path / "file.txt.gz"
    path.write_bytes(gzip.compress(b"ab\n\n" * 100))
    assert cut_at_blank_lines(path, range_bytes=2) == []
    assert cut_at_blank_lines("http://127.0.0.1:1/file.txt", range_bytes=2) == []

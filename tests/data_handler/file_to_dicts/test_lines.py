"""Physical lines: numbers, ends, marks, and what is no text."""

import io

import pytest

from farm_ray.data_handler.file_to_dicts import lines
from farm_ray.data_handler.file_to_dicts.lines import BadLine, read_blocks


def read(raw, encoding="utf-8"):
    found = []
    for block in read_blocks(io.BytesIO(raw), encoding):
        assert block.first == len(found) + 1
        assert block.text is None or block.text == "".join(block.lines)
        found += block.lines
    return [line.kind if isinstance(line, BadLine) else line for line in found]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\nb\r\n\nc", ["a\n", "b\r\n", "\n", "c"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a\n", "\ufeffb\n"]),
        ("a\u2028b\x0bc\x85d\n".encode(), ["a\u2028b\x0bc\x85d\n"]),
        (b"a\n\xff\nb\0\nc\n", ["a\n", "undecodable", "NUL byte", "c\n"]),
    ],
)
def test_lines_do_not_depend_on_the_size_of_the_blocks(monkeypatch, size, raw, expected):
    monkeypatch.setattr(lines, "_BLOCK", max(size, 3) if raw.startswith(b"\xef") else size)
    assert read(raw) == expected


@pytest.mark.parametrize("size", [1, 3, 64])
def test_a_line_above_the_limit_is_told_and_not_held(monkeypatch, size):
    monkeypatch.setattr(lines, "_BLOCK", size)
    monkeypatch.setattr(lines, "LONGEST_LINE", 10)
    assert read(b"a\n" + b"x" * 500 + b"\nb\n" + b"y" * 10 + b"\n") == ["a\n", "line too long", "b\n", "line too long"]
    assert read(b"x" * 9 + b"\nb\n") == ["x" * 9 + "\n", "b\n"]


def test_byte_and_position_of_what_cannot_be_decoded():
    (block,) = read_blocks(io.BytesIO(b"ok\ncaf\xe9\n"), "utf-8")
    bad = block.lines[1]
    assert isinstance(bad, BadLine)
    assert bad.reason.startswith("is not utf-8: byte 0xe9 at position 4")
    assert bad.value == "caf\ufffd"

"""Old Mac line ends in every reader, and what ends no line anywhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm_ray.data_handler.file_to_dicts import lines, read_jsonl
from farm_ray.data_handler.file_to_dicts.documents import DocumentFile, count_documents, read_documents
from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds, first_row_of_tables
from farm_ray.data_handler.file_to_dicts.splits import BLANK_LINE, Split, count_lines, settled
from farm_ray.data_handler.utils import read_docs_from_txt, read_ner_file, split_file
from farm_ray.errors import DataProblemError
from tests.raised import raised

ENDS = ["\n", "\r\n", "\r", "\r\r\n"]
NO_ENDS = "\x0b\x0c\x1c\x85\u2028\u2029"


def translated(pieces, first_row=None):
    line_ends = LineEnds(first_row)
    return b"".join([*map(line_ends, pieces), line_ends(b"", last=True)])


@given(pieces=st.lists(st.text(st.sampled_from("a\r\r\n"), max_size=5).map(str.encode), max_size=6))
def test_pieces_change_nothing(pieces):
    whole = b"".join(pieces)
    found = translated(pieces)
    assert found == translated([whole])
    assert len(found) == len(whole)
    of_table = first_row_of_tables(b",", b'"')
    assert translated(pieces, of_table) == translated([whole], of_table) in (whole, found)


def test_a_long_run_is_not_held():
    line_ends = LineEnds()
    assert line_ends(b"\r" * 1000) == b"\n" * 1000


def documents(file, start=0, end=None):
    name = DocumentFile(uri=str(file), name="d")
    return [row["doc"] for table in read_documents(name, start, end) for row in table.to_pylist()]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_documents(tmp_path, monkeypatch, end, block):
    from farm_ray.data_handler.file_to_dicts import documents as module

    monkeypatch.setattr(module, "_BLOCK", block)
    monkeypatch.setattr(lines, "_BLOCK", block)
    expected = [["first one.", f"a{NO_ENDS}b"], ["second"], ["third", "end"]]
    content = (end + end).join(end.join(document) for document in expected) + end
    file = tmp_path / "corpus.txt"
    file.write_bytes(content.encode())
    assert documents(file) == expected
    total = file.stat().st_size
    for cut in range(1, total):
        assert documents(file, 0, cut) + documents(file, cut, total) == expected
    counts = count_documents(DocumentFile(uri=str(file), name="d"))
    assert (counts.documents, counts.lines, counts.blank) == (3, 7, 2)
    assert [row["doc"] for row in read_docs_from_txt(file)] == expected
    split_file(file, tmp_path, docs_per_file=1)
    assert [documents(tmp_path / f"part_{number}")[0] for number in (1, 2, 3)] == expected


def test_files_of_mixed_line_ends(tmp_path):
    file = tmp_path / "corpus.txt"
    file.write_bytes(b"a\rb\r\rc\r\rd\ne\n\nf\r\ng\r\n\r\nh")
    assert documents(file) == [["a", "b"], ["c"], ["d", "e"], ["f", "g"], ["h"]]


@pytest.mark.parametrize("end", ENDS)
def test_words(tmp_path, end):
    content = end.join(["he\tO", "went\tO", "", "ha\tB", ""])
    file = tmp_path / "words.txt"
    file.write_bytes(content.encode())
    assert [row["text"] for row in read_ner_file(file)] == ["he went", "ha"]
    (tmp_path / "torn.txt").write_bytes(f"he\rwent\tO{end}ha\tB{end}".encode())
    with raised(DataProblemError, "unreadable-line", file="torn.txt", row=1):
        read_ner_file(tmp_path / "torn.txt")
    assert count_lines(Split(str(file))) == 4
    if end != "\r\r\n":
        behind = len(end.join(["he\tO", "went\tO", "", ""]))
        assert settled(Split(str(file), 8, len(content)), BLANK_LINE).start == behind


@pytest.mark.parametrize("end", ENDS)
def test_json_lines(tmp_path, end):
    rows = [{"text": "a"}, {"text": f"b{NO_ENDS}"}]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(end.join(json.dumps(row, ensure_ascii=False) for row in rows).encode())
    assert read_jsonl(file) == rows


@pytest.mark.parametrize("end", ENDS[:3])
@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_tables(read, monkeypatch, end, block):
    monkeypatch.setattr(lines, "_BLOCK", block)
    content = end.join(["text\tlabel", "a\tA", "", f'"b\nc{NO_ENDS}"\tB', "d\tC"])
    expected = [(2, "a", "A"), (4, f"b\nc{NO_ENDS}", "B"), (6, "d", "C")]
    assert read(content) == read(content + end) == expected


def test_a_bare_carriage_return_in_a_table_with_other_line_ends_is_told(read):
    assert read("text\tlabel\na\rb\tA\n") == [(2, "carriage return")]
    assert read('text\tlabel\n"a\rb"\tA\n') == [(2, "a\rb", "A")]

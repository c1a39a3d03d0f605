"""Documents of text files: what comes out, whatever range they are read by, and what becomes of bad input."""

import bz2
import gzip
import itertools
import logging
import re

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.file_to_dicts import documents
from farm_ray.data_handler.file_to_dicts.documents import DocumentFile, pieces_of_documents, read_documents
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def read(tmp_path):
    """Documents of a file with this content by id, with the kind of problem in the place of those that have one."""

    def read(content, *, name="a.txt", start=0, end=None, table_bytes=1 << 20, **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        file = DocumentFile(uri=str(path), name=name, **options)
        return found(read_documents(file, start, end, table_bytes=table_bytes))

    return read


def found(tables):
    rows = [row for table in tables for row in table.to_pylist()]
    assert all((row["doc"] is None) == (row["problem"] is not None) for row in rows)
    return {row["id"]: row["doc"] if row["problem"] is None else row["problem"]["kind"] for row in rows}


def by_hand(content, name="a.txt", encoding="utf-8"):
    """The same in plain Python."""
    docs, at, is_open = {}, 0, None
    for number, line in enumerate(content.split(b"\n")):
        with_mark = number == 0 and line.startswith(BOM)
        begin, at = at + 3 * with_mark, at + len(line) + 1
        try:
            text = line[3 * with_mark :].decode(encoding)
            text = None if "\0" in text else text.strip()
        except UnicodeDecodeError:
            text = None
        if text == "":
            is_open = None
            continue
        is_open = is_open or f"{name}@{begin}"
        doc = docs.setdefault(is_open, [])
        docs[is_open] = None if text is None or doc is None else [*doc, text]
    return docs


def without_kinds(docs):
    return {name: doc if isinstance(doc, list) else None for name, doc in docs.items()}


def test_documents_of_a_file(read):
    content = "First one.\n Second one.\t\r\n\r\n\n \u00a0\nThird, naïve 中文.\nFourth"
    assert read(content) == {"a.txt@0": ["First one.", "Second one."], "a.txt@33": ["Third, naïve 中文.", "Fourth"]}


def test_a_byte_order_mark_is_no_text(read):
    assert read(BOM + b"one\n\ntwo") == {"a.txt@3": ["one"], "a.txt@8": ["two"]}
    assert read(BOM + b"one\n\ntwo", start=1, end=4) == {"a.txt@3": ["one"]}


def test_another_encoding(read):
    assert read("é à\u00a0\n\u00a0\nü".encode("cp1252"), encoding="cp1252") == {"a.txt@0": ["é à"], "a.txt@7": ["ü"]}
    with raised(ConfigError, "encoding-without-lines"):
        read(b"one", encoding="utf-16")


pieces = st.sampled_from(
    [
        b"\n",
        b"\n",
        b"\n\n",
        b"\r\n",
        b" ",
        b"\xc2\xa0",
        b"\t",
        b"a",
        b"word",
        b"\xc3\xa9",
        b"\xff",
        b"\0",
        b"\xe4\xb8\xad" * 7,
    ]
)


@pytest.mark.parametrize("examples", [100, pytest.param(300, marks=pytest.mark.slow)])
def test_any_cut_gives_the_same_documents(tmp_path_factory, examples):
    @settings(max_examples=examples, deadline=None)
    @given(
        parts=st.lists(pieces, max_size=40), bom=st.booleans(), data=st.data(), longest=st.sampled_from([9, 30, 1000])
    )
    def law(parts, bom, data, longest):
        content = (BOM if bom else b"") + b"".join(parts)
        # Whitespace above `longest` bytes, line end included, is not taken for a blank line.
        assume(all(len(space) + 2 <= longest for space in re.findall(rb"(?:[ \t]|\xc2\xa0)+", content)))
        path = tmp_path_factory.getbasetemp() / "a.txt"
        path.write_bytes(content)
        file = DocumentFile(uri=str(path), name="a.txt", longest=longest)
        whole = found_or_nothing(file, None, table_bytes=1 << 20)
        cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(content))), max_size=6)))
        borders = [0, *cuts, len(content) + data.draw(st.integers(1, 3))]
        joined = [found_or_nothing(file, (begin, end)) for begin, end in itertools.pairwise(borders)]
        assert [item for part in joined for item in part.items()] == list(whole.items())
        assert found_or_nothing(file, None, table_bytes=data.draw(st.integers(1, 20))) == whole
        if longest == 1000:
            assert without_kinds(whole) == by_hand(content)
        else:
            assert_pieces_hold_all(whole, by_hand(content))

    law()


def found_or_nothing(file, part, **how):
    try:
        return found(read_documents(file, *(part or (0, None)), **how))
    except DataProblemError as error:
        assert "holds no document" in str(error)  # noqa: PT017
        return {}


def assert_pieces_hold_all(cut, whole):
    assert set(whole) <= set(cut)
    sentences = {name: [] for name in whole}
    name = None
    for piece, doc in cut.items():
        name = piece if piece in whole else name
        sentences[name] += doc if isinstance(doc, list) else [None]
    for name, doc in whole.items():
        assert None in sentences[name] if doc is None else sentences[name] == doc


def test_a_file_without_blank_lines_is_cut_and_not_read_by_every_range(tmp_path, monkeypatch, caplog):
    """4,000 lines of 28 bytes, documents of 20,000 bytes at most: read about once in all, and no more held."""
    (tmp_path / "b.txt").write_bytes(b"".join(b"this is sentence nr %06d.\n" % n for n in range(4000)))
    read, held = [], []

    class Counting(documents._Lines):
        def read(self, size):
            before = self.end + self._held_bytes
            super().read(min(size, 1000))
            read.append(self.end + self._held_bytes - before)
            held.append(len(self.starts))

    monkeypatch.setattr(documents, "_Lines", Counting)
    file = DocumentFile(uri=str(tmp_path / "b.txt"), name="b.txt", longest=20_000)
    with caplog.at_level(logging.WARNING):
        tables = [table for n in range(100) for table in read_documents(file, n * 1120, (n + 1) * 1120)]
    assert [table.num_rows for table in tables if table.num_rows] == [1] * 5
    assert sum(pieces_of_documents(table) for table in tables) == 4
    docs = found(tables)
    assert [len(doc) for doc in docs.values()] == [715, 714, 714, 715, 1142]
    assert sum(read) < 5 * 112_000
    assert max(held) < 2 * 20_000 / 28 + 100
    assert caplog.text.count("documents of more than 20000 bytes") == 1


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\t\n\n", BOM, BOM + b"\n"])
def test_a_file_without_documents(read, content):
    with pytest.raises(DataProblemError, match=r"a\.txt holds no document; give a file with a sentence on each line"):
        read(content)
    with raised(DataProblemError, "empty-file"):
        read(content, end=100)


def test_a_range_without_documents_is_an_empty_table(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one long sentence\n\nand another\n")
    file = DocumentFile(uri=str(tmp_path / "a.txt"), name="a.txt")
    (table,) = read_documents(file, 3, 9)
    assert (table.num_rows, table.schema) == (0, documents.SCHEMA)


def test_bytes_that_are_no_text_harm_their_document_alone(read, tmp_path):
    content = b"fine\n\nso far\nna\xefve\nand on\n\nzero\0\n\nfine again\n"
    assert read(content) == {
        "a.txt@0": ["fine"],
        "a.txt@6": "undecodable",
        "a.txt@27": "NUL byte",
        "a.txt@34": ["fine again"],
    }
    file = DocumentFile(uri=str(tmp_path / "a.txt"), name="a.txt")
    problem = pa.concat_tables(read_documents(file))["problem"][1].as_py()
    assert problem["file"] == "a.txt"
    assert problem["message"] == (
        "a.txt@6: the line that begins at byte 13 is not utf-8: byte 0xef at position 3; "
        "give the file's encoding, such as encoding='cp1252', or fix the line"
    )


@pytest.mark.parametrize("limit", [100, 1 << 20])
def test_long_lines(read, monkeypatch, limit):
    monkeypatch.setattr(documents, "LONGEST_LINE", limit)
    monkeypatch.setattr("farm_ray.data_handler.file_to_dicts.lines.LONGEST_LINE", limit)
    monkeypatch.setattr(documents, "_BLOCK", 64)
    monkeypatch.setattr(documents, "_AHEAD", 64)
    for length in (limit - 1, limit, limit + 300):
        content = b"one\n\ntwo\n" + b"x" * length + b"\n\nthree\n"
        docs = read(content, end=len(content))
        middle = docs.pop("a.txt@5")
        assert docs == {"a.txt@0": ["one"], f"a.txt@{length + 11}": ["three"]}
        assert middle == (["two", "x" * length] if length < limit else "line too long")
        assert read(content, start=length, end=len(content)) == {f"a.txt@{length + 11}": ["three"]}


@pytest.mark.parametrize(("name", "pack"), [("a.txt.gz", gzip.compress), ("a.txt.bz2", bz2.compress)])
def test_compressed_files_give_tables_of_about_the_wanted_size(read, tmp_path, name, pack):
    content = b"".join(b"document %d\nwith two lines\n\n" % n for n in range(200))
    docs = read(pack(content), name=name)
    assert docs == {key.replace("a.txt", name): doc for key, doc in by_hand(content).items()}
    file = DocumentFile(uri=str(tmp_path / name), name=name)
    sizes = [table.num_rows for table in read_documents(file, table_bytes=1000)]
    assert sum(sizes) == 200
    assert max(sizes) < 50


def test_a_truncated_file_gives_the_documents_before(tmp_path):
    content = b"".join(b"document %d\nwith lines %x\n\n" % (n, n * 7919 % 10007) for n in range(20_000))
    packed = gzip.compress(content)
    (tmp_path / "a.txt.gz").write_bytes(packed[: len(packed) // 2])
    file = DocumentFile(uri=str(tmp_path / "a.txt.gz"), name="a.txt")
    tables, whole = [], by_hand(content)
    reading = read_documents(file, table_bytes=10_000)
    with pytest.raises(DataProblemError, match=r"a\.txt\.gz: .* breaks off .*read up to byte [\d,]+\)") as told:
        tables.extend(reading)
    docs = found(tables)
    assert docs == dict(list(whole.items())[: len(docs)])
    assert 0 <= told.value.facts["byte"] - int(list(docs)[-1].partition("@")[2]) < 100


def test_a_missing_file(tmp_path):
    with raised(DataProblemError, "file-not-found"):
        list(read_documents(DocumentFile(uri=str(tmp_path / "no.txt"), name="no.txt")))

"""In which encoding a file is read: its bytes decide over the settings, once, and are never taken for others."""

import bz2
import gzip
import logging

import pytest

from farm_ray.data_handler.file_to_dicts import encodings, read_jsonl, read_rows
from farm_ray.data_handler.file_to_dicts.conll import read_conll
from farm_ray.data_handler.file_to_dicts.conll_format import ConllFormat
from farm_ray.data_handler.file_to_dicts.documents import DocumentFile, count_documents, read_documents
from farm_ray.data_handler.file_to_dicts.encodings import text_encoding
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.data_handler.utils import read_docs_from_txt, read_ner_file
from farm_ray.errors import DataProblemError

MARK = b"\xef\xbb\xbf"
GOOD = "schöne Größe"
TABLE = f"text\tlabel\n{GOOD}\tpos\n"


def texts(path, **how):
    """The texts of a table; a problem's message in the place of one."""
    rows = [row for table in read_rows(path, columns={"text": "text"}, **how) for row in table.to_pylist()]
    return [row["text"] if row["problem"] is None else row["problem"]["message"] for row in rows]


@pytest.fixture(autouse=True)
def _forget():
    encodings._report_once.cache_clear()


@pytest.mark.parametrize("saved", ["cp1252", "latin-1", "ascii", "iso8859-15", "gbk"])
@pytest.mark.parametrize("raw", [TABLE.encode(), MARK + TABLE.encode(), MARK + b"text\tlabel\nplain\tpos\n"])
def test_utf8_is_read_as_utf8_whatever_the_settings_say_and_reported_once(tmp_path, caplog, saved, raw):
    path = tmp_path / "new.tsv"
    path.write_bytes(raw)
    wanted = raw.decode("utf-8-sig").splitlines()[1].split("\t")[0]
    with caplog.at_level(logging.WARNING, logger="farm_ray"):
        assert texts(path, encoding=saved) == texts(path, encoding=saved) == [wanted]
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{path} is written in UTF-8, not in {saved} as the settings say; it is read as UTF-8"]


def test_what_is_in_the_encoding_of_the_settings_is_read_so_without_a_word(tmp_path, caplog):
    path = tmp_path / "new.tsv"
    for raw in (TABLE.encode("cp1252"), b"text\tlabel\nplain\tpos\n"):
        path.write_bytes(raw)
        assert texts(path, encoding="cp1252") == [raw.decode("cp1252").splitlines()[1].split("\t")[0]]
    assert not caplog.records


def test_utf8_settings_read_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "open_binary", lambda *_, **__: pytest.fail("opened"))
    for name in ("utf-8", "UTF8", "utf-8-sig"):
        assert text_encoding(tmp_path / "missing.tsv", name) == name


@pytest.mark.parametrize(
    ("raw", "is_utf8"),
    [
        (b"x" * 100 + "ö".encode(), True),  # behind many blocks of ASCII
        (b"x" * 100 + "ö".encode("cp1252"), False),
        (b"x" * 7 + "ö".encode(), True),  # a character that a block's border cuts
        (b"x" * 20 + b"\xc3", False),  # half a character at the end
        ("ö".encode() * 3 + b"\xf6", False),  # one byte that is not UTF-8 among few that are
        ("ö".encode() * 6 + b"\xf6", True),  # far behind enough of them: a problem of its line
        (b"plain", False),
        (b"", False),
    ],
)
def test_the_first_bytes_above_127_decide_wherever_they_stand(tmp_path, monkeypatch, raw, is_utf8):
    monkeypatch.setattr(encodings, "_BLOCK", 8)
    monkeypatch.setattr(encodings, "_ENOUGH", 6)
    for name, packed in {"a.txt": raw, "a.txt.gz": gzip.compress(raw), "a.txt.bz2": bz2.compress(raw)}.items():
        (tmp_path / name).write_bytes(packed)
        assert text_encoding(tmp_path / name, "cp1252") == ("utf-8" if is_utf8 else "cp1252")


def test_a_file_that_changes_is_looked_at_again(tmp_path):
    path = tmp_path / "a.txt"
    for raw, found in ((b"sch\xf6n", "cp1252"), ("schöne".encode(), "utf-8"), (b"sch\xf6ner", "cp1252")):
        path.write_bytes(raw)
        assert text_encoding(path, "cp1252") == found


def test_every_range_of_a_file_is_read_in_the_same_encoding(tmp_path):
    """A range that holds ASCII alone, or whose own bytes say nothing, follows the file."""
    path = tmp_path / "a.txt"
    documents = ["plain words", "schöne Größe", "more plain words", "Ã¼ as it stands", "übel"]
    path.write_bytes("\n\n".join(documents).encode())
    file = DocumentFile(uri=str(path), name="a.txt", encoding="cp1252")
    size = path.stat().st_size
    for length in (1, 7, 16, size):
        found = [
            doc[0]
            for start in range(0, size, length)
            for table in read_documents(file, start, start + length)
            for doc in table["doc"].to_pylist()
        ]
        assert found == documents
    assert count_documents(file).documents == len(documents)
    assert [one["doc"] for one in read_docs_from_txt(path, encoding="cp1252")] == [[text] for text in documents]


def test_words_with_tags_and_json_lines(tmp_path):
    (tmp_path / "new.jsonl").write_text(f'{{"text": "{GOOD}"}}\n')
    assert texts(tmp_path / "new.jsonl", encoding="cp1252") == [GOOD]
    (tmp_path / "old.jsonl").write_bytes(f'{{"text": "{GOOD}"}}\n'.encode("cp1252"))
    assert texts(tmp_path / "old.jsonl", encoding="cp1252") == [GOOD]
    (tmp_path / "list.json").write_bytes(f'[{{"text": "{GOOD}"}}]'.encode("cp1252"))
    assert texts(tmp_path / "list.json", encoding="cp1252") == [GOOD]
    for encoding in ("utf-8", "cp1252"):
        (tmp_path / "train.conll03-de.txt").write_bytes("Köln B-LOC\n".encode(encoding))
        assert read_ner_file(tmp_path / "train.conll03-de.txt")[0]["text"] == "Köln"
        (tmp_path / "plain.txt").write_bytes("Köln\tB-LOC\n".encode(encoding))
        file = TableFile(uri=str(tmp_path / "plain.txt"), name="plain.txt", columns={})
        (table,) = read_conll(file, ConllFormat(tag_columns={"tags": 1}, encoding="cp1252"))
        assert table["text"].to_pylist() == ["Köln"]


def test_another_encoding_is_reported_with_line_byte_and_what_to_give(tmp_path):
    path = tmp_path / "new.tsv"
    path.write_bytes(TABLE.encode("cp1252"))
    (told,) = texts(path)
    assert told.startswith("new.tsv:2 is not utf-8: byte 0xf6 at position 4; ")
    assert told.endswith("give the file's encoding, such as encoding='cp1252', or fix the line")
    (tmp_path / "list.json").write_bytes(f'[{{"text": "{GOOD}"}}]'.encode("cp1252"))
    with pytest.raises(DataProblemError, match=r"is not utf-8: .* at byte 15; .* encoding='cp1252'"):
        read_jsonl(tmp_path / "list.json")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("written", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_refused_in_its_own_name(tmp_path, encoding, written):
    path = tmp_path / "excel.txt"
    path.write_bytes(TABLE.encode(written))
    with pytest.raises(DataProblemError, match="UTF-16, which cannot" if written == "utf-16" else "holds a NUL byte"):
        texts(path, encoding=encoding)


def test_parts_in_two_encodings_that_were_joined_give_no_garbage(tmp_path):
    path = tmp_path / "joined.tsv"
    old, new = "text\nböse\n".encode("cp1252"), "schöne Größe für übermorgen\n".encode()
    told = "is UTF-8 in a file that is otherwise cp1252; write the file in one encoding"
    path.write_bytes(old + new)
    assert texts(path, encoding="cp1252") == ["böse", f"joined.tsv:3 {told}"]
    path.write_bytes(old + MARK + b"plain\n")
    assert texts(path, encoding="cp1252") == ["böse", f"joined.tsv:3 {told}"]
    path.write_bytes(b"text\n" + new * 20 + "böse\n".encode("cp1252"))
    found = texts(path, encoding="cp1252")
    assert found[-1].startswith("joined.tsv:22 is not utf-8: byte 0xf6 at position 2; ")
    assert found[:-1] == [new.decode().strip()] * 20


def test_a_capital_letter_and_a_sign_are_not_taken_for_utf8(tmp_path):
    path = tmp_path / "loud.tsv"
    lines = ["text", "böse", "CAFÉ\u2013BAR", "CAFÉ\u2014BAR und CAFÉ\u2013BAR"]
    path.write_bytes("\n".join(lines).encode("cp1252"))
    assert texts(path, encoding="cp1252") == lines[1:]


def test_json_lines_that_were_joined_from_files_with_marks(tmp_path):
    path = tmp_path / "joined.jsonl"
    path.write_bytes((MARK + b'{"text": "one"}\n') * 2)
    assert texts(path) == ["one", "one"]

"""Rows that apostrophes join to one: read as pandas reads them, and reported once per file with their lines."""

import io

import pandas as pd
import pytest

from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.file_to_dicts import delimited, enclosed_rows
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import TextClassificationProcessor
from tests.tiny import tiny_tokenizer

JOINED = "text\tlabel\nfine\tA\n'twas night\tA\nb\tB\nthe boys'\tB\nfine\tA\n"


@pytest.fixture(autouse=True)
def nothing_reported(monkeypatch):
    monkeypatch.setattr(enclosed_rows, "_reported", set())


def test_rows_that_apostrophes_join_are_reported_with_their_lines(read, tmp_path, caplog):
    frame = pd.read_csv(io.StringIO(JOINED), sep="\t", quotechar="'")
    found = read(JOINED, quote_char="'")
    assert [list(row[1:]) for row in found] == frame.to_numpy().tolist()
    assert len(found) == 3
    assert read(JOINED, quote_char="'") == found
    (message,) = caplog.messages
    assert message == (
        f"{tmp_path}/train.tsv: lines 3 to 5 are one row, as a quote ' encloses them, but lines 3 and 5 are whole rows "
        "by themselves; if ' is a plain character, give quote_char=None"
    )
    assert len(read(JOINED, quote_char=None)) == 5


def test_a_file_with_many_such_rows_has_one_report(read, caplog):
    read(JOINED + JOINED.partition("\n")[2] * 5, quote_char="'")
    (message,) = caplog.messages
    assert "(likewise lines 8 to 10, lines 13 to 15, 3 more);" in message


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ('text\tlabel\n"Well" said\tA\n"open\tA\nb\tB\nend"\tB\n', {"quote_char": '"'}),
        ("text\tlabel\nx\t'A\ny\tB'\n", {"quote_char": "'"}),
        ("text,label\n'twas,A\nboys',B\n", {"quote_char": "'", "delimiter": ","}),
        ("text\n'twas\nboys'\n", {"quote_char": "'", "columns": {"text": "text"}}),
        ("'twas\tA\nboys'\tB\n", {"quote_char": "'", "header": None, "columns": {"0": "text", "1": "label"}}),
        ("text\tlabel\r'twas\tA\rboys'\tB\r", {"quote_char": "'"}),
    ],
)
def test_likely_mistakes(read, caplog, content, options):
    read(content, **options)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ('text\tlabel\n"Hello,\nmy bill\t is\nwrong"\tA\n', {}),
        ('text\tlabel\n"a\tb\nc\nd"\tA\n', {}),
        ('text\tlabel\nx\t"a\nb"\n', {}),
        ('text\n"one\n\ntwo"\n', {"columns": {"text": "text"}}),
        ('text,label\n"a, b\nc",A\n', {"delimiter": ","}),
        ("text\tlabel\n'a\nb'\tA\n", {"quote_char": "'"}),
        ("text\tlabel\n'twas\tA\nb\tB\n", {"quote_char": "'"}),
        ("text\tlabel\n'twas'\tA\nit's the boys'\tB\n", {"quote_char": "'"}),
        (JOINED, {"quote_char": None}),
    ],
)
def test_no_report_about_what_is_right_or_a_problem_anyway(read, caplog, content, options):
    read(content, **options)
    assert not caplog.messages


def test_a_process_that_leaves_the_reading_to_others_reports_the_begin_of_files(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(delimited, "_LOOK_BYTES", 200)
    (tmp_path / "a.tsv").write_text(JOINED + "'cut off\tA\n" + "b\tB\n" * 100 + "end'\tA\n")
    (tmp_path / "b.tsv").write_text("text\tlabel\nfine\tA\n")
    (tmp_path / "c.tsv").write_text("text\tlabel\n")
    (tmp_path / "d.tsv").write_text("sentence\tlabel\n" + JOINED)
    (tmp_path / "e.jsonl").write_text("'twas\n")
    processor = TextClassificationProcessor(
        tokenizer=tiny_tokenizer(tmp_path / "tokenizer"), max_seq_len=16, data_dir=None, label_list=["A", "B"],
        metric="acc", train_filename=None, test_filename=None,
    )  # fmt: skip
    files = [str(tmp_path / name) for name in ("a.tsv", "b.tsv", "c.tsv", "d.tsv", "e.jsonl")]
    planned_splits(processor, files, 1 << 20)
    (message,) = caplog.messages
    assert message.startswith(f"{tmp_path}/a.tsv: lines 3 to 5 are one row")
    assert "likewise" not in message
    caplog.clear()
    for _ in processor.read(Split(files[0])):
        pass
    assert not caplog.messages

"""Cut anywhere: whatever the size of its splits, a file gives the rows and ids that it gives when it is read whole."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.data_silo.split_reading import split_tables
from farm_ray.data_handler.file_to_dicts import splits as splits_module
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import BertStyleLMProcessor, NERProcessor, TextClassificationProcessor
from tests.tiny import tiny_tokenizer

SIZES = (1, 2, 3, 7, 16, 50, 333)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


def rows_of(processor, splits):
    tables = [table for split in splits for table in split_tables(processor, split)]
    return [row for table in tables for row in table.to_pylist()]


def by_splits(processor, path, size, **how):
    return planned_splits(processor, [str(path)], size, **how)


def check(processor, path, sizes=SIZES):
    """All sizes give the rows of the whole file; says how many splits the smallest one gave."""
    whole = rows_of(processor, [Split(str(path))])
    for size in sizes:
        assert rows_of(processor, by_splits(processor, path, size)) == whole, size
    return len(by_splits(processor, path, sizes[0]))


def tables_of(tokenizer, **options):
    settings = {"label_list": ["a", "b"], "metric": "acc", "label_column_name": "label"} | options
    return TextClassificationProcessor(tokenizer, 16, None, **settings).frozen()


CELL = st.text(alphabet="ab'\";,\t \n\\é", max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12),
    delimiter=st.sampled_from(["\t", ",", ";"]),
    quote=st.sampled_from(['"', "'"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_well_written_tables(tokenizer, folder, rows, delimiter, quote, line_end, quoting):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator=line_end, quoting=quoting)
    writer.writerows([("text", "label"), *rows, ("film", "a")])
    path = folder / "table.tsv"
    path.write_bytes(out.getvalue().encode())
    check(tables_of(tokenizer, delimiter=delimiter, quote_char=quote), path)


LINE = st.text(alphabet="ab'\"\t \n\r", max_size=14)


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(LINE, min_size=1, max_size=12),
    quote=st.sampled_from(['"', "'", None]),
    header=st.sampled_from([0, 1, None]),
    skiprows=st.sampled_from([None, 2]),
)
@example(lines=["'a\tb", "a\tb", "c'\td"], quote="'", header=0, skiprows=None)
@example(lines=["'a\tb", "a\tb", "c\td"], quote="'", header=0, skiprows=None)
@example(lines=["a\tb", "'a\tb\n'c'd\ta", "c'\td"], quote="'", header=0, skiprows=None)
def test_tables_as_they_come(tokenizer, folder, lines, quote, header, skiprows):
    """Broken quotes, blank lines, wrong numbers of fields, carriage returns: the same problems in the same places."""
    first = "skipped 'x\n" * (skiprows or 0) + "text\tlabel\n" * (1 + (header or 0))
    path = folder / "broken.tsv"
    path.write_bytes((first + "\n".join(lines) + "\nlast\ta\n").encode())
    columns = {"text_column_name": "0", "label_column_name": "1"} if header is None else {}
    check(tables_of(tokenizer, quote_char=quote, header=header, skiprows=skiprows, **columns), path)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.one_of(CELL, st.none()), min_size=1, max_size=12), blank=st.sampled_from(["", "\n", "{\n"]))
def test_json_lines(tokenizer, folder, rows, blank):
    path = folder / "rows.jsonl"
    lines = [json.dumps({"text": text, "label": "a"}, ensure_ascii=False) + "\n" + blank for text in rows]
    path.write_text("".join(lines), newline="")
    check(tables_of(tokenizer), path)


@settings(max_examples=30, deadline=None)
@given(
    lines=st.lists(
        st.sampled_from(["the O\n", "film B-PER\n", "\n", "\r\n", " \n", "# note\n", "bad\n", "-DOCSTART- O\n"])
    )
)
def test_one_token_a_line(tokenizer, folder, lines):
    path = folder / "words.txt"
    path.write_text("the O\n" * 9 + "\n" + "".join(lines), newline="")
    processor = NERProcessor(tokenizer, 8, None, label_list=["O", "B-PER"], metric="seq_f1", delimiter=" ")
    check(processor.frozen(), path)


def test_parquet_by_row_groups(tokenizer, folder):
    path = folder / "rows.parquet"
    table = pa.table({"text": [f"the film {number}" for number in range(50)], "label": ["a", "b"] * 25})
    pq.write_table(table, path, row_group_size=7)
    processor = tables_of(tokenizer)
    check(processor, path)
    filled = [split for split in by_splits(processor, path, 100) if rows_of(processor, [split])]
    assert len(filled) == 8


def test_documents_in_json_lines(tokenizer, folder):
    path = folder / "documents.jsonl"
    path.write_text("".join(json.dumps({"text": f"the film {n}.\nit was good."}) + "\n" for n in range(40)))
    processor = BertStyleLMProcessor(tokenizer, 16, None, next_sent_pred=False).frozen()
    check(processor, path)


def test_files_that_are_not_cut(tokenizer, folder):
    old_mac = folder / "mac.tsv"
    old_mac.write_bytes(b"text\tlabel\r" + b"a\tb\r" * 20)
    wide = folder / "wide.tsv"
    wide.write_bytes(("text\tlabel\n" + "a\tb\n" * 20).encode("cp932"))
    of_several = folder / "list.json"
    of_several.write_text(json.dumps([{"text": "a", "label": "b"}] * 20))
    assert check(tables_of(tokenizer), old_mac) == 1
    assert check(tables_of(tokenizer, encoding="cp932"), wide) == 1
    assert check(tables_of(tokenizer), of_several) == 1
    assert check(tables_of(tokenizer, max_samples=5), wide) == 1


def test_a_stream_names_rows_by_split_and_line(tokenizer, folder):
    path = folder / "stream.tsv"
    path.write_text("text\tlabel\n" + "".join(f"film {number}\ta\n" for number in range(10)))
    processor = tables_of(tokenizer, quote_char=None)
    found = by_splits(processor, path, 40, lines_wanted=False)
    assert [row["id"] for row in rows_of(processor, found)] == [
        *(f"stream.tsv:{line}" for line in range(2, 7)),
        *(f"stream.tsv@56:{line}" for line in range(1, 6)),
    ]


def test_a_column_that_the_first_split_lacks_is_looked_for_behind_it(tokenizer, folder):
    path = folder / "late.jsonl"
    path.write_text('{"text": "the film was good"}\n' * 9 + '{"text": "a", "label": "a"}\n')
    check(tables_of(tokenizer), path, sizes=(30,))


def test_borders_are_searched_in_pieces(tokenizer, folder, monkeypatch):
    monkeypatch.setattr(splits_module, "_PIECE", 3)
    path = folder / "words.txt"
    path.write_text("the O\n\nfilm O\r\n\r\nwas O\n\n\n\ngood O\n", newline="")
    processor = NERProcessor(tokenizer, 8, None, label_list=["O", "B-PER"], metric="seq_f1", delimiter=" ")
    check(processor.frozen(), path)

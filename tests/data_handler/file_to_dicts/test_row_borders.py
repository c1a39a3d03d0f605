"""Quoted fields: what pandas reads of the same bytes, and nothing made of what stands inside of a quote."""

import io
import re

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.file_to_dicts import lines, read_rows, records

DELIMITERS = ",;\t|"
CELL = st.text(st.sampled_from('ab"",;\t| \n\ré\u2028\x0b'), max_size=7)
NAME = CELL.map(lambda cell: f"n{cell}n")


@st.composite
def tables(draw):
    """(text of an RFC 4180 file, delimiter, header, rows, line where each row starts)."""
    delimiter = draw(st.sampled_from(DELIMITERS))
    width = draw(st.integers(1, 4))
    header = draw(st.lists(NAME, min_size=width, max_size=width, unique=True))
    rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    written, starts = "", []
    for row in [header, *rows]:
        starts.append(written.count("\n") + 1)
        quoted = [draw(st.booleans()) or cell[:1] == '"' or set(cell) & {delimiter, "\n", "\r"} for cell in row]
        quoted[0] = quoted[0] or not "".join(row).strip(" \t")  # a line of delimiters and blanks is no row
        cells = [f'"{cell.replace(chr(34), chr(34) * 2)}"' if q else cell for cell, q in zip(row, quoted, strict=True)]
        written += delimiter.join(cells) + end
        written += draw(st.sampled_from(["", "", "", end]))
    if draw(st.booleans()):
        written = written.rstrip("\r\n")
    return written, delimiter, header, rows, starts[1:]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), block=st.sampled_from([1, 5, 1 << 20]))
def test_a_table_is_read_as_pandas_reads_it(read, table, block):
    written, delimiter, header, rows, starts = table
    columns = {name.strip(): str(place) for place, name in enumerate(header)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        found = read(written, delimiter=delimiter, columns=columns)
    frame = pd.read_csv(io.BytesIO(written.encode()), sep=delimiter, dtype=str, keep_default_na=False)
    assert [list(row[1:]) for row in found] == frame.to_numpy().tolist() == rows
    assert [row[0] for row in found] == starts


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_line_break_and_the_delimiter_in_a_quote_tear_nothing(read, delimiter):
    sign = delimiter
    content = f'text{sign}label\nHelp{sign}"Hello,\nmy bill{sign} is wrong"\n"a{sign}b\nc"{sign}A\n'
    expected = [(2, "Help", f"Hello,\nmy bill{sign} is wrong"), (4, f"a{sign}b\nc", "A")]
    assert read(content, delimiter=delimiter) == expected
    without_header = content.partition("\n")[2]
    by_place = {"0": "text", "1": "label"}
    assert read(without_header, delimiter=delimiter, header=None, columns=by_place) == [
        (line - 1, *cells) for line, *cells in expected
    ]
    assert read(f"made by hand\n{content}", delimiter=delimiter, skiprows=1)[0] == (3, *expected[0][1:])


@pytest.mark.parametrize(
    ("lines_between", "kind", "told"),
    [
        ('"a\nb\tB"\n', "wrong number of fields", r"train.tsv:3 \(up to line 4\) has 1 field where there should be 2"),
        ('"a\nb\tB\nc"\tC\tD\n', "wrong number of fields", r"\(up to line 5\) has 3 fields"),
        ('"he said "no"\tB\nand left"\tA\n', "broken quoting", r"\(up to line 4\) .* is opened in line 3 and not"),
        ('"he said\n"no"\tB and\nleft"\tA\n', "broken quoting", r"\(up to line 5\) "),
        ('"say \\"hi\\"\tB\nthere"\tA\n', "broken quoting", r"\(up to line 4\) "),
        ('"a" b\t"c\nd\tB"\n', "broken quoting", r"\(up to line 4\) .* is opened in line 3 "),
        ('"a\nb\tB"\t"c" d\n', "broken quoting", r"\(up to line 4\) .* is opened in line 4 "),
        ('"a\nb\tB"\tc\rd\n', "carriage return", r"\(up to line 4\) holds a carriage return"),
        ('"' + "b\tB\n" * 200 + '"\tA\n', "field too long", r"\(up to line 203\) has a field of more than 500"),
        (b'"a\n\xff\tB\nb"\tA\n', "undecodable", r"\(up to line 5\) holds line 4, which is not utf-8: byte 0xff"),
        (b'\xff\t"a\nb\tB"\n', "undecodable", r"\(up to line 4\) is not utf-8: byte 0xff at position 1"),
        (b'"a\n\0\tB\nb"\tA\n', "NUL byte", r"\(up to line 5\) holds line 4, which holds a NUL byte"),
    ],
)
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_all_lines_of_a_broken_row_are_one_problem(read, tmp_path, monkeypatch, lines_between, kind, told, block):
    monkeypatch.setattr(lines, "_BLOCK", block)
    between = lines_between if isinstance(lines_between, bytes) else lines_between.encode()
    content = b"text\tlabel\nfirst\tA\n" + between + b"last\tB\n"
    found = read(content, max_field_chars=500)
    assert found == [(2, "first", "A"), (3, kind), (content.count(b"\n"), "last", "B")]
    (table,) = read_rows(tmp_path / "train.tsv", columns={"text": "text"}, max_field_chars=500)
    assert re.search(told, table["problem"][1].as_py()["message"])


@pytest.mark.parametrize(
    "stray",
    ['"twas night', '"Great" game', '"Great" 5" game', '"', '"a ""b""', 'a" b\t"c', "\"'"],
)
def test_a_quote_that_is_never_rightly_closed_costs_its_own_line(read, stray):
    after = 'he said "hi" there\tB\na 5" screen\tC\n' if stray.count('"') != 3 else 'he said "hi" there\tB\nd\tC\n'
    row = stray if "\t" in stray else f"{stray}\tA"
    found = read(f"text\tlabel\nfirst\tA\n{row}\nb\tB\n{after}last\tD\n")
    texts = [tuple(line.split("\t")) for line in after.splitlines()]
    assert found == [
        (2, "first", "A"),
        (3, "broken quoting"),
        (4, "b", "B"),
        (5, *texts[0]),
        (6, *texts[1]),
        (7, "last", "D"),
    ]


def test_rows_that_a_sound_quote_encloses_are_never_read_because_a_later_quote_is_stray(read):
    content = 'text\tlabel\n"a\nb\tB\nc"\t"open\nd\tD\n'
    assert read(content) == [(2, "broken quoting"), (5, "d", "D")]


def test_a_quote_is_given_up_behind_the_longest_row(read, monkeypatch):
    monkeypatch.setattr(records, "LONGEST_ROW", 300)
    content = 'text\tlabel\n"open\tA\n' + "b\tB\n" * 1000 + '"x"\tC\n'
    found = read(content, max_field_chars=200)
    assert found[0] == (2, "broken quoting")
    assert found[1:-1] == [(line, "b", "B") for line in range(3, 1003)]
    assert found[-1] == (1003, "x", "C")


GARBLED = st.text(st.sampled_from('a"" \t\n\ré'), max_size=60)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=GARBLED, block=st.sampled_from([1, 5, 13]))
def test_every_line_of_a_garbled_file_belongs_to_one_row_or_is_blank(read, tmp_path, body, block):
    content = f"text\tlabel\n{body}\nz\tZ\n"
    whole = read(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        assert read(content) == whole
    starts = [row[0] for row in whole]
    assert starts == sorted(set(starts))
    messages = {
        int(row["id"].rpartition(":")[2]): (row["problem"] or {}).get("message", "")
        for table in read_rows(tmp_path / "train.tsv", columns={"text": "text"})
        for row in table.to_pylist()
    }
    physical = content.encode().split(b"\n")
    taken = set()
    for start, *cells in whole:
        last = start + sum(cell.count("\n") for cell in cells) if len(cells) == 2 else start
        found = re.search(r"\(up to line (\d+)\)", messages[start])
        last = int(found[1]) if found else last
        assert not taken & set(range(start, last + 1))
        taken |= set(range(start, last + 1))
    left = [physical[line - 1].strip() for line in range(2, len(physical) + 1) if line not in taken]
    assert not any(left)

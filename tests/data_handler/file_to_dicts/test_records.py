"""Rows of delimited text: each comes out with its line, sound or with its problem; nothing is swallowed."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.file_to_dicts import lines, read_rows
from farm_ray.data_handler.file_to_dicts.records import Records

TEXT_LABEL = {"text": "text", "label": "label"}


def problem_of(path, **options):
    return next(read_rows(path, columns=TEXT_LABEL, **options))["problem"].to_pylist()[0]["message"]


@pytest.mark.parametrize(
    ("lines_between", "kind"),
    [
        (b"one\n", "wrong number of fields"),
        (b"a\tb\tc\n", "wrong number of fields"),
        (b'"a" b\tA\n', "broken quoting"),
        (b"caf\xe9\tA\n", "undecodable"),
        (b"a\0b\tA\n", "NUL byte"),
        (b"a\rb\tA\n", "carriage return"),
        (b"x" * 600 + b"\tA\n", "field too long"),
        (b'"' + b"x" * 600 + b'"\tA\n', "field too long"),
    ],
)
def test_a_broken_row_keeps_its_place_and_the_others_are_read(read, lines_between, kind):
    content = b"text\tlabel\nfirst\tA\n" + lines_between + b"last\tB\n"
    assert read(content, max_field_chars=500) == [(2, "first", "A"), (3, kind), (4, "last", "B")]


def test_an_open_quote_is_told_where_it_stands_and_costs_one_row(read, tmp_path):
    content = "text\tlabel\n'twas night\tA\nb\tB\nc's\tC\n"
    assert read(content, quote_char="'") == [(2, "broken quoting"), (3, "b", "B"), (4, "c's", "C")]
    assert "is opened in line 2 and not rightly closed" in problem_of(tmp_path / "train.tsv", quote_char="'")
    assert "quote_char=None" in problem_of(tmp_path / "train.tsv", quote_char="'")


def test_the_line_where_the_quote_opened_is_named(read, tmp_path):
    assert read('text\tlabel\n"a\nb"\t"open\nc\td\n')[0] == (2, "broken quoting")
    assert "is opened in line 3 and" in problem_of(tmp_path / "train.tsv")


def test_a_quote_that_closes_with_the_right_number_of_fields_is_right(read):
    content = "text\tlabel\n'twas night\tA\nb\tB\nthe boys'\tC\nd\tD\n"
    assert read(content, quote_char="'") == [(2, "twas night\tA\nb\tB\nthe boys", "C"), (5, "d", "D")]


def test_a_quote_that_runs_into_a_line_that_is_no_text(read):
    content = b'text\tlabel\n"open\tA\n\xff\tB\nc\tC\n'
    assert read(content) == [(2, "broken quoting"), (3, "undecodable"), (4, "c", "C")]


def test_a_field_that_never_ends_is_given_up(read):
    content = 'text\tlabel\n"open\tA\n' + "b\tB\n" * 1000
    rows = read(content, max_field_chars=500)
    assert rows[0] == (2, "broken quoting")
    assert rows[1:] == [(line, "b", "B") for line in range(3, 1003)]


def test_one_line_of_a_megabyte(read):
    content = "text\tlabel\na\tA\n" + "x" * 1_000_000 + "\nb\tB\n"
    assert read(content) == [(2, "a", "A"), (3, "field too long"), (4, "b", "B")]


def test_a_line_too_long_to_hold_is_skipped(read, monkeypatch):
    monkeypatch.setattr(lines, "_BLOCK", 64)
    monkeypatch.setattr(lines, "LONGEST_LINE", 200)
    content = "text\tlabel\na\tA\n" + "x" * 1000 + "\tX\nb\tB\n" + "y" * 1000
    assert read(content) == [(2, "a", "A"), (3, "line too long"), (4, "b", "B"), (5, "line too long")]


@pytest.mark.parametrize("line", ["a'\t'c\n", "'a\tc\n", "'\tc\n", "5' x\t'a\n", "'a' b\tc\n"])
def test_broken_quotes_everywhere_cost_time_in_proportion_to_the_file(read, line, monkeypatch):
    looked = 0

    def counted(records):
        nonlocal looked
        for text in feed(records):
            looked += 1
            yield text

    feed = Records._feed
    monkeypatch.setattr(Records, "_feed", counted)
    rows = read("text\tlabel\n" + line * 600, quote_char="'")
    assert rows
    assert 600 <= looked <= 4 * 600  # a scan to the end for each line looks at 180,000


CELL = st.text(st.sampled_from("ab\"'\t,; \n\ré\u2028\x0b"), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12), delimiter=st.sampled_from("\t,;"))
def test_what_csv_writes_comes_back(read, rows, delimiter):
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    found = read(written.getvalue(), delimiter=delimiter)
    assert [row[1:] for row in found] == rows


LINE = st.lists(st.sampled_from(["a", "'", "\t", "ü", "\r", "''", "b\tc", "\0", " "]), max_size=6).map("".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.lists(LINE, min_size=1, max_size=12), block=st.sampled_from([1, 5, 13, 40]))
def test_blocks_change_nothing(read, body, block):
    """The same rows whether lines come one by one, which is the careful way, or all at once."""
    content = "text\tlabel\n" + "".join(f"{line}\n" for line in [*body, "z\tZ"])
    whole = read(content, quote_char="'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        assert read(content, quote_char="'") == whole
    assert all(line > 1 for line, *_ in whole)
    assert len({line for line, *_ in whole}) == len(whole)


def test_quoted_rows_over_the_ends_of_blocks_are_not_held(read, monkeypatch):
    from farm_ray.data_handler.file_to_dicts.records import Records

    held = []
    take = Records._take
    monkeypatch.setattr(Records, "_take", lambda self: held.append(len(self._lines)) or take(self))
    monkeypatch.setattr(lines, "_BLOCK", 50)
    assert len(read("text\tlabel\n" + '"a\nb\nc"\tA\n' * 500)) == 500
    assert max(held) < 50


def test_a_multi_line_row_is_read_after_many_broken_ones(read):
    content = "text\tlabel\n" + "'a' b\tA\n" * 500 + "'c\nd'\tB\n"
    assert read(content, quote_char="'", max_field_chars=200)[-1] == (502, "c\nd", "B")

"""TSV and CSV files: headers, columns, options, and files that cannot be used."""

import bz2
import gzip

import pytest

from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_plain_rows(read, end, last, bom):
    content = bom + end.join(["text\tlabel", "hello\tA", "", "\tB", "ü\t"]) + (end if last else "")
    assert read(content) == [(2, "hello", "A"), (4, "", "B"), (5, "ü", "")]


def test_columns_are_picked_by_name_and_renamed(read):
    content = "a\tb\tc\n1\t2\t3\n"
    assert read(content, columns={"c": "text", "a": "other"}) == [(2, "3", "1")]
    assert read(content, columns={"b": "text", "z": "label"}, optional=["z"]) == [(2, "2", None)]


def test_what_looks_missing_stays_as_written(read):
    assert read("text\tlabel\nNA\tnull\n") == [(2, "NA", "null")]


def test_quoted_fields(read):
    content = 'text\tlabel\n"two\nlines\t"\tA\n"say ""hi"""\tB\na "b" c\tC\n'
    assert read(content) == [(2, "two\nlines\t", "A"), (4, 'say "hi"', "B"), (5, 'a "b" c', "C")]
    assert read("text\tlabel\n'a\nb'\tA\n", quote_char="'") == [(2, "a\nb", "A")]


def test_no_quoting(read):
    assert read("text\tlabel\n\"open\tA\n'x'\tB\n", quote_char=None) == [(2, '"open', "A"), (3, "'x'", "B")]


def test_other_encodings(read):
    assert read("text\tlabel\ncaf\xe9\tA\n".encode("latin-1"), encoding="latin-1") == [(2, "café", "A")]
    for encoding, told in {"utf-61": "is not known", "idna": "is not known", "utf-16": "line by line"}.items():
        with pytest.raises(ConfigError, match=told):
            read("text\tlabel\na\tA\n", encoding=encoding)


def test_skipped_lines_and_later_headers(read):
    content = '# "made by\nnobody\ntext\tlabel\na\tA\n'
    assert read(content, skiprows=2) == [(4, "a", "A")]
    assert read("x\n\ntext\tlabel\na\tA\n", header=1) == [(4, "a", "A")]
    with pytest.raises(DataProblemError, match=r"has no header row; check skiprows=9$"):
        read(content, skiprows=9)
    with pytest.raises(DataProblemError, match=r"has no header row; check skiprows=1 and header=30$"):
        read(content, skiprows=1, header=30)


def test_bytes_that_are_no_text_of_any_encoding(read):
    text = "text\tlabel\na\tA\n"
    for packed, told in {
        gzip.compress(text.encode()): r"name end in \.gz$",
        bz2.compress(b"".join(b"%d\n" % n for n in range(999))): r"name end in \.bz2$",
        text.encode("utf-32"): "byte order mark of UTF-32",
        text.encode("utf-16"): "byte order mark of UTF-16",
    }.items():
        with pytest.raises(DataProblemError, match=told):
            read(packed)


def test_no_header(read):
    by_position = {"0": "text", "1": "label"}
    assert read("a\tA\nb\tB\n", columns=by_position, header=None) == [(1, "a", "A"), (2, "b", "B")]
    with pytest.raises(DataProblemError, match=r'"label"; with header=None .* position, 0 to 1$') as told:
        read("a\tA\n", header=None)
    # Whoever knows the columns' options says which to give.
    assert told.value.facts["missing_columns"] == ["text", "label"]


def test_a_few_of_many_columns_are_named(read):
    with pytest.raises(DataProblemError, match=r'"c29", \.\.\. \(5000 in all\)') as told:
        read("\t".join(f"c{n}" for n in range(5000)) + "\na\n")
    assert len(str(told.value)) < 1000


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("", {}, "train.tsv is empty"),
        ("\n\n", {}, "has no header row"),
        ("", {"header": None}, "train.tsv is empty"),
        ("text\tlabel\n", {}, "train.tsv has a header but no rows"),
        ("text\tlable\na\tA\n", {}, r'has no column "label"; its columns are "text", "lable"; did you mean "lable"\?'),
        ("text,label\na,A\n", {}, "looks like one column with delimiter='\\\\t': give delimiter=','"),
        ("text\ttext\tlabel\na\tb\tA\n", {}, 'names the column "text" twice'),
        (b"text\tl\xe9bel\na\tA\n", {}, "the header cannot be read: train.tsv:1 is not utf-8: byte 0xe9 at position 7"),
        ("text\tl\rabel\na\tA\n", {"skiprows": 0}, 'no column "label"; its columns are "text", "l"'),
        ("made\ntext\tl\rabel\na\tA\n", {"skiprows": 1}, "cannot be read: train.tsv:2 holds a carriage return"),
        ('text\t"label\na\tA\n', {}, "the header cannot be read: train.tsv:1 has a field whose quote"),
    ],
)
def test_files_that_cannot_be_used(read, content, options, told):
    with pytest.raises(DataProblemError, match=told):
        read(content, **options)


def test_columns_that_nobody_asked_for_may_have_any_name(read):
    assert read("\ttext\tlabel\n0\ta\tA\n") == [(2, "a", "A")]
    assert read("text\t\tlabel\t\t\na\tb\tA\t\t\n") == [(2, "a", "A")]
    assert read("x\ttext\tx\tlabel\n1\ta\t2\tA\n") == [(2, "a", "A")]
    twice = "id\ttext\tid\n1\ta\t2\n"
    assert read(twice, columns={"text": "text", "id": "label"}, optional=["id"]) == [(2, "a", None)]
    with raised(DataProblemError, "column-there-twice", column="id"):
        read(twice, columns={"text": "text", "id": "label"})
    with pytest.raises(DataProblemError, match=r'its columns are "id", "text"$'):
        read("id\t\ttext\t\n1\ta\t2\t3\n", columns={"body": "text"})


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": "::"},
        {"delimiter": ""},
        {"quote_char": ""},
        {"quote_char": "\t"},
        {"skiprows": -1},
        {"header": True},
        {"header": "infer"},
    ],
)
def test_options_that_cannot_be_meant(read, options):
    with raised(ConfigError, "invalid-value", option=next(iter(options))):
        read("text\tlabel\na\tA\n", **options)


def test_the_first_readable_row_tells_the_columns_where_there_is_no_header(read):
    by_position = {"0": "text", "1": "label"}
    content = b'\xff\n\n"a" b\n"c\nd"\tC\ne\n'
    assert read(content, columns=by_position, header=None) == [
        (1, "undecodable"),
        (3, "broken quoting"),
        (4, "c\nd", "C"),
        (6, "wrong number of fields"),
    ]
    with raised(DataProblemError, "no-readable-row"):
        read(b"\xff\n", columns=by_position, header=None)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank", ["", ";", ";;", "  ", "\t", " ; "])
def test_lines_of_nothing_but_delimiters_and_white_space_are_no_rows(read, end, blank):
    content = end.join([blank, "text;label", "a;A", blank, blank, "b;B", '"";""', blank])
    expected = [(3, "a", "A"), (6, "b", "B"), (7, "", "")]
    assert read(content, delimiter=";") == read(content + end, delimiter=";") == expected
    assert read(end.join([blank, "text", "a", blank, '""', blank]), delimiter=";", columns={"text": "text"}) == [
        (3, "a"),
        (5, ""),
    ]


def test_a_row_with_text_in_one_of_its_cells_is_a_row(read):
    assert read("text\tlabel\n\tA\na\t\n \t \n") == [(2, "", "A"), (3, "a", "")]

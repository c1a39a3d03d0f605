"""One token a line: sentences, comments, documents, line ends, and lines that are no row."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.file_to_dicts import lines, splits
from farm_ray.data_handler.file_to_dicts.conll import _Sentences, read_conll
from farm_ray.data_handler.file_to_dicts.conll_format import conll_format
from farm_ray.data_handler.file_to_dicts.splits import BLANK_LINE, cut
from farm_ray.data_handler.file_to_dicts.survey import line_survey, numbered
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.errors import DataProblemError
from tests.raised import raised

TWO = "EU\tB-ORG\nrejects\tO\n\nParis\tB-LOC\n"
EU = (1, "EU rejects", ["B-ORG", "O"])
PARIS = (4, "Paris", ["B-LOC"])


def shown(tables):
    """(line, text, tags) of each sentence, or (line of the sentence, line and kind of the problem)."""
    found = []
    for row in (row for table in tables for row in table.to_pylist()):
        name, _, line = row["id"].rpartition(":")
        problem = row["problem"]
        if problem is None:
            found.append((int(line), row["text"], *[row[key] for key in row if key.endswith("label")]))
        else:
            assert (row["text"], problem["stage"], problem["file"]) == (None, "file_to_dicts", name)
            assert problem["message"].startswith(f"{name}:{problem['line']} ")
            found.append((int(line), problem["line"], problem["kind"]))
    return found


@pytest.fixture
def read(tmp_path):
    def rows(content, *, name="train.txt", tag_columns=None, max_field_chars=500_000, rows_per_table=5000, **how):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        file = TableFile(
            uri=str(path), name=name, columns={}, max_field_chars=max_field_chars, rows_per_table=rows_per_table
        )
        columns = {"ner_label": None} if tag_columns is None else tag_columns
        return shown(read_conll(file, conll_format(path.name, tag_columns=columns, **how)))

    return rows


def test_tokens_and_tags(read):
    assert read(TWO) == [EU, PARIS]


@pytest.mark.parametrize(
    ("content", "paris"),
    [
        (TWO.replace("\n", "\r\n"), 4),
        (TWO.removesuffix("\n"), 4),
        ("\ufeff" + TWO, 4),
        (TWO + "\n\n", 4),
        (TWO.replace("\n\n", "\n\n\n \t\n\r\n"), 7),
        (TWO.replace("\n\n", "\n \t \n"), 4),
        (TWO.replace("\n\n", "\n-DOCSTART-\t-X-\n"), 4),
        ("-DOCSTART- -X- O\n" + TWO, 5),
        (TWO.replace("\n\n", "\n-DOCSTART-\n\n"), 5),
        (TWO.replace("EU\tB-ORG", " EU \tB-ORG "), 4),
    ],
)
def test_what_stands_around_sentences(read, content, paris):
    (_, *first), second = read(content)
    assert (first, second) == (["EU rejects", ["B-ORG", "O"]], (paris, "Paris", ["B-LOC"]))


def test_the_last_tag_is_whole_where_the_line_has_no_end(read):
    assert read("EU\tB-ORG\nAnna\tB-PER") == [(1, "EU Anna", ["B-ORG", "B-PER"])]


def test_hash_signs_that_begin_a_row_are_tokens_and_others_comments(read):
    content = (
        "# id 7\tsource\t3\n#berlin\tO\n#\tO\n# a comment\nis\tO\n#\n#lost\n\n#hello\n\nParis\tB-LOC\n# text = x y\tO\n"
    )
    assert read(content) == [(2, "#berlin # is", ["O", "O", "O"]), (11, "Paris", ["B-LOC"])]


def test_a_file_of_hash_signs(read):
    assert read("#a\tO\n#b\tO\n\n#c\tO\n") == [(1, "#a #b", ["O", "O"]), (4, "#c", ["O"])]


GERMEVAL = """#\thttp://source.url [2009-10-17]
1\tSchartau\tB-PERpart\tO
2\tsagte\tO\tO
3\t#neu\tB-LOCderiv\tB-LOC

#\tn-tv.de vom 26.02.2005 [2005-02-26]
1\t#\tO\tO
"""


def test_germeval(read):
    expected = [(2, "Schartau sagte #neu", ["B-PER", "O", "B-LOC"]), (7, "#", ["O"])]
    assert read(GERMEVAL, germeval14=True) == expected
    assert read(GERMEVAL, name="germeval14.tsv") == expected
    assert read(GERMEVAL, token_column=1, tag_columns={"ner_label": 2})[0][2] == ["B-PERpart", "O", "B-LOCderiv"]


def test_conll03(read):
    content = (
        "-DOCSTART- -X- -X- O\n\nEU NNP I-NP I-ORG\nHQ  NNP  I-NP   I-LOC \nParis NNP I-NP B-LOC\n\nBonn NNP I-NP I-LOC"
    )
    expected = [(3, "EU HQ Paris", ["B-ORG", "B-LOC", "B-LOC"]), (7, "Bonn", ["B-LOC"])]
    assert read(content, delimiter=" ", iob1=True) == expected
    assert read(content, name="conll03-en.txt", delimiter=" ") == expected
    german = content.replace("Bonn", "Köln").encode("cp1252")
    assert read(german, name="conll03-de.txt") == [expected[0], (7, "Köln", ["B-LOC"])]


def test_several_columns_of_tags_or_none(read):
    content = "EU\tNNP\tB-ORG\n"
    assert read(content, tag_columns={"ner_label": None, "pos_label": 1}) == [(1, "EU", ["B-ORG"], ["NNP"])]
    assert read(content, tag_columns={}) == [(1, "EU")]
    assert read("EU\n\nParis\n", tag_columns={}) == [(1, "EU"), (3, "Paris")]


def test_other_delimiters(read):
    assert read("EU;B-ORG\nrejects; O\n", delimiter=";") == [EU]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Berlin", "wrong number of columns"),
        ("Berlin\tB-LOC\tO", "wrong number of columns"),
        ("Berlin\t", "missing tag"),
        ("Berlin\t ", "missing tag"),
        ("\tO", "empty token"),
        ("New York\tB-LOC", "whitespace in a token"),
        ("New\u00a0York\tB-LOC", "whitespace in a token"),
        ("\u00a0\tO", "whitespace in a token"),
        (b"M\xfcnchen\tB-LOC", "undecodable"),
        ("Ber\0lin\tB-LOC", "NUL byte"),
    ],
)
def test_a_line_that_is_no_row_is_the_problem_of_its_sentence(read, line, kind):
    raw = line if isinstance(line, bytes) else line.encode()
    sentence = b"EU\tB-ORG\n" + raw + b"\nBerlin\tB-LOC\tO\tO\n\n"
    assert read(sentence * 2 + b"Paris\tB-LOC\n") == [(1, 2, kind), (5, 6, kind), (9, "Paris", ["B-LOC"])]


def test_most_rows_say_how_many_columns_there_are(read):
    assert read("EU\nEU\tB-ORG\nrejects\tO\n\n" + TWO)[0] == (1, 1, "wrong number of columns")


def test_sentences_and_lines_that_are_too_long(read, monkeypatch):
    content = "a\tO\nbc\tO\n\nabcd\tO\n\nabcde\tO\n\nab\tO\ncd\tO\n" + "e\tO\n" * 1000 + "\nf\tO\n"
    assert read(content, max_field_chars=4) == [
        (1, "a bc", ["O", "O"]),
        (4, "abcd", ["O"]),
        (6, 6, "text too long"),
        (8, 9, "text too long"),
        (1011, "f", ["O"]),
    ]
    monkeypatch.setattr(lines, "LONGEST_LINE", 30)
    monkeypatch.setattr(lines, "_BLOCK", 8)
    assert read(f"a\tO\n{'x' * 99}\tO\n\n{TWO}") == [(1, 2, "line too long"), (4, *EU[1:]), (7, *PARIS[1:])]


def test_compressed_files(tmp_path):
    path = tmp_path / "train.txt.gz"
    path.write_bytes(gzip.compress(TWO.encode()))
    file = TableFile(uri=str(path), name=path.name, columns={})
    assert shown(read_conll(file, conll_format(path, tag_columns={"ner_label": None}))) == [EU, PARIS]


def test_rows_per_table_and_types(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("a\tO\n\n" * 7 + "a\n\n" + "a\tO\n\n")
    file = TableFile(uri=str(path), name="train.txt", columns={}, rows_per_table=4)
    tables = list(read_conll(file, conll_format(path, tag_columns={"ner_label": None})))
    assert [table.num_rows for table in tables] == [4, 4, 1]
    assert len({table.schema for table in tables}) == 1
    assert [row[0] for row in shown(tables)] == list(range(1, 19, 2))
    assert shown(tables)[7] == (15, 15, "wrong number of columns")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no rows; give a file with sentences"),
        ("\n# nothing here\n\n"[:1] + "-DOCSTART-\n \n", "has no rows"),
        ("EU NNP B-ORG\n", r'has 1 column with delimiter=\'\\t\', so there is none for tag_column; its rows look like "EU NNP B-ORG": give delimiter=\' \''),
        ("EU\n", "has 1 column.*check the delimiter and tag_column"),
        (b"\xff\n", "has no readable line: the first is not utf-8: byte 0xff"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_meant(read, content, message):
    with pytest.raises(DataProblemError, match=message):
        read(content)


def test_columns_that_are_not_there(read):
    with pytest.raises(DataProblemError, match=r"has 2 columns.*none for token_column.*check the delimiter"):
        read(TWO, token_column=2)
    with raised(DataProblemError, "missing-column", column="tag_column"):
        read(TWO, tag_columns={"ner_label": -3})


def test_a_table_of_texts_is_not_a_file_of_words(read):
    """Its rows would be one bad sentence."""
    texts = "text\tlabel\nEU rejects it\tO\nParis is nice\tO\n"
    with pytest.raises(DataProblemError, match=r'one word a line.*such as "EU rejects it.*"; check the delimiter$'):
        read(texts)
    with pytest.raises(DataProblemError, match=r'check the delimiter, or name .* text_column_name="text"$'):
        read(texts, tag_columns={})


POOL = [
    b"EU\tB-ORG\n",
    b"#tag\tO\n",
    b"# comment\n",
    b"Paris\tB-LOC\r\n",
    b"\n",
    b"\n\n",
    b"\r\n",
    b" \n",
    b"-DOCSTART-\tO\n",
    b"lost\n",
    b"New York\tO\n",
    b"\xff\tO\n",
    b"a\0\tO\n",
    "schön\tI-ORG\n".encode(),
]


@pytest.mark.parametrize("examples", [70, pytest.param(200, marks=pytest.mark.slow)])
def test_any_cut_gives_the_same_rows(tmp_path, monkeypatch, examples):
    @settings(deadline=None, max_examples=examples)
    @given(
        content=st.lists(st.sampled_from(POOL), max_size=20).map(
            lambda chosen: b"EU\tB-ORG\n\n" * 21 + b"".join(chosen)
        ),
        whole_end=st.booleans(),
        range_bytes=st.integers(1, 100),
        block=st.sampled_from([1, 7, 1 << 20]),
    )
    def law(content, whole_end, range_bytes, block):
        path = tmp_path / "train.txt"
        path.write_bytes(content if whole_end else content.removesuffix(b"\n"))
        file = TableFile(uri=str(path), name="train.txt", columns={})
        how = conll_format(path, tag_columns={"ner_label": None})
        whole = shown(read_conll(file, how))
        with monkeypatch.context() as small:
            small.setattr(lines, "_BLOCK", block)
            small.setattr(splits, "_PIECE", max(block, 4))
            parts = numbered([line_survey(split, BLANK_LINE) for split in cut(path, range_bytes)])
            assert len(parts) > 1
            assert [row for part in parts for row in shown(read_conll(file, how, part))] == whole
            assert shown(read_conll(file, how)) == whole
            small.setattr(_Sentences, "_read_sentence", lambda *_: False)
            assert shown(read_conll(file, how)) == whole

    law()


def test_nothing_vanishes(read):
    """Every block of lines between blank ones is a row, except for blocks of comments."""
    content = "".join(f"{line}\tO\n\n" for line in ("a", "b c", "", "#d", "# e", "f\tg"))
    assert [row[0] for row in read(content)] == [1, 3, 5, 7, 11]

"""JSON lines and lists of objects."""

import gzip
import json

import pytest

from farm_ray.data_handler.file_to_dicts import jsonl, read_jsonl, read_rows
from farm_ray.errors import DataProblemError
from tests.raised import raised

COLUMNS = {"text": "text", "label": "label"}


def read(path, content, columns=COLUMNS, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = [row for table in read_rows(path, columns=columns, **options) for row in table.to_pylist()]
    return [(row["id"], row["problem"] and row["problem"]["kind"], row["text"], row.get("label")) for row in rows]


def test_values_as_text(tmp_path):
    values = ["a\tü", 1, 2.5, 1e22, True, None, ["x", "y"], {"k": "ü"}]
    lines = "".join(json.dumps({"text": value, "label": "L"}) + "\n" for value in values)
    expected = ["a\tü", "1", "2.5", "1e+22", "True", None, '["x", "y"]', '{"k": "ü"}']
    assert [row[2] for row in read(tmp_path / "a.jsonl", lines)] == expected
    assert read(tmp_path / "a.jsonl", '{"text": NaN, "label": "L"}\n')[0][2] is None


def test_bad_lines_keep_their_place(tmp_path):
    content = b'\xef\xbb\xbf{"text": "a", "label": "A"}\n\n{"text": \n[1]\n\xff\n{"text": "\\ud83d"}\n{"text": "b"}'
    assert read(tmp_path / "a.jsonl", content) == [
        ("a.jsonl:1", None, "a", "A"),
        ("a.jsonl:3", "broken JSON", None, None),
        ("a.jsonl:4", "no object", None, None),
        ("a.jsonl:5", "undecodable", None, None),
        ("a.jsonl:6", "undecodable", None, None),
        ("a.jsonl:7", None, "b", None),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[" * 100_000, "a.jsonl:1 is not valid JSON: it is nested too deeply; write"),
        ('{"text": ' + "9" * 5000 + "}", "a.jsonl:1 is not valid JSON: it holds a number of more than 4,300 digits; w"),
    ],
)
def test_limits_of_the_parser_in_words_of_ours(tmp_path, line, told):
    (tmp_path / "a.jsonl").write_text(line)
    with pytest.raises(DataProblemError) as error:
        read_jsonl(tmp_path / "a.jsonl")
    assert str(error.value).startswith(told)


@pytest.mark.parametrize("line", ["[" * 100_000, '{"text": ' + "9" * 5000 + "}", "{'text': 1}", "nul"])
def test_lines_that_are_hard_on_the_parser(tmp_path, line):
    found = read(tmp_path / "a.jsonl", line + '\n{"text": "b", "label": "B"}\n')
    assert [row[1] for row in found] == ["broken JSON", None]


def test_long_fields(tmp_path):
    content = '{"text": "123456", "label": "A"}\n{"text": "12345", "label": "A"}\n'
    assert [row[1] for row in read(tmp_path / "a.jsonl", content, max_field_chars=5)] == ["field too long", None]


def test_a_json_file_with_a_list(tmp_path):
    content = '\ufeff \n[{"text": "a",\n "label": "A"}, 7,\n {"text": "b", "label": "B"}]'
    expected = [("a.json:1", None, "a", "A"), ("a.json:2", "no object", None, None), ("a.json:3", None, "b", "B")]
    assert read(tmp_path / "a.json", content) == expected


def test_a_json_file_with_lines(tmp_path):
    content = '{"text": "a", "label": "A"}\n{"text": "b", "label": "B"}\n'
    assert [row[0] for row in read(tmp_path / "a.json", content)] == ["a.json:1", "a.json:2"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", "", "is empty"),
        ("a.json", "[]", "is empty"),
        ("a.json", '[{"text": 1}\n {', "is not valid JSON in line 2 at character 2"),
        ("a.json", b'[{"text": "\xff"}]', "is not utf-8"),
        (
            "a.jsonl",
            '{"txt": 1, "label": 2}',
            'has no column "text"; its columns are "txt", "label"; did you mean "txt"',
        ),
    ],
)
def test_files_that_cannot_be_used(tmp_path, name, content, told):
    with pytest.raises(DataProblemError, match=told):
        read(tmp_path / name, content)


def test_optional_columns(tmp_path):
    assert read(tmp_path / "a.jsonl", '{"text": "a"}\n', optional=["label"]) == [("a.jsonl:1", None, "a", None)]


def test_tables_have_the_asked_size(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n' * 7)
    tables = list(read_rows(tmp_path / "a.jsonl", columns={"text": "text"}, rows_per_table=3))
    assert [table.num_rows for table in tables] == [3, 3, 1]


def test_read_jsonl_gives_whole_objects(tmp_path):
    objects = [{"query": "q", "passages": [{"label": "positive"}]}, {"n": 1}]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, objects)).encode()))
    assert read_jsonl(tmp_path / "a.jsonl.gz") == objects
    (tmp_path / "b.jsonl").write_text('{"a": 1}\n{"a": \n')
    with raised(DataProblemError, "unreadable-line", row=2, file="b.jsonl"):
        read_jsonl(tmp_path / "b.jsonl")


def test_a_list_that_is_too_long_to_hold_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "rows.json"
    path.write_text('[{"text": "a"}]')
    monkeypatch.setattr(jsonl, "LONGEST_LIST", 15)
    assert read_jsonl(path) == [{"text": "a"}]
    monkeypatch.setattr(jsonl, "LONGEST_LIST", 14)
    with pytest.raises(DataProblemError, match=r"one list of more than 14 bytes; write one object per line"):
        read_jsonl(path)

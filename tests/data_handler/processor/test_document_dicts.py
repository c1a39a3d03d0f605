"""Documents that people hand in as dicts."""

import pytest

from farm_ray.data_handler.file_to_dicts.documents import SCHEMA
from farm_ray.data_handler.processor.document_dicts import document_dicts_table


def test_lists_of_sentences_and_texts_with_a_sentence_on_each_line():
    given = [{"doc": [" a film ", "", "bad \ud83d"]}, {"doc": "one\r\n two\rthree\n\n", "id": "mine"}]
    table = document_dicts_table(given, ["0", "1"])
    assert table.schema == SCHEMA
    assert table["id"].to_pylist() == ["0", "mine"]
    assert table["doc"].to_pylist() == [["a film", "bad \\ud83d"], ["one", "two", "three"]]
    assert table["problem"].null_count == 2


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        ("a film", "not a dict", "this is a str"),
        ({"text": "a film"}, "missing document", 'no "doc" (keys: text)'),
        ({"doc": 7}, "not a document", '"doc" is a int'),
        ({"doc": ["a", None]}, "not a document", 'sentence 2 of "doc" is a NoneType'),
        ({"doc": [" ", "\n"]}, "empty document", 'no sentence in "doc"'),
        ({"doc": ""}, "empty document", 'no sentence in "doc"'),
    ],
)
def test_what_is_no_document_keeps_its_place(given, kind, told):
    rows = document_dicts_table([{"doc": ["a"]}, given, {"doc": ["b"]}], ["0", "1", "2"]).to_pylist()
    assert [row["doc"] for row in rows] == [["a"], None, ["b"]]
    assert rows[1]["problem"]["kind"] == kind
    assert rows[1]["problem"]["message"].startswith("1: ")
    assert told in rows[1]["problem"]["message"]

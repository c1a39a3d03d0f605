import json

import pytest

from farm_ray.data_handler.processor.dicts import dicts_table, external_id
from farm_ray.data_handler.processor.tasks import make_task

TASK = make_task("sent", metric="acc", label_list=["a", "b"], label_column_name="label")


def table(dicts, **how):
    settings = {"tasks": {"sent": TASK}, "max_text_chars": 50}
    return dicts_table(dicts, [f"n{number}" for number in range(len(dicts))], **(settings | how))


@pytest.mark.parametrize(
    ("dictionary", "found"),
    [
        ({"id": 0}, "0"),
        ({"id": ""}, ""),
        ({"id": "x", "external_id": "y", "example_id": "z"}, "z"),
        ({"id": "x", "example_id": None}, "x"),
        ({"doc_id": ["p", "q"]}, "p"),
        ({"doc_id": []}, None),
        ({"text": "x"}, None),
        ({"id": "\ud800"}, "\\ud800"),
    ],
)
def test_external_ids(dictionary, found):
    assert external_id(dictionary) == found


def test_columns():
    dicts = [{"text": "x", "sent_label": "a", "other": 1}, {"text": "y", "label": 3, "id": "q"}, {"text": "z"}]
    made = table(dicts)
    assert made.column_names == ["id", "text", "sent_label", "problem"]
    assert made["id"].to_pylist() == ["n0", "q", "n2"]
    assert made["sent_label"].to_pylist() == ["a", "3", None]
    assert table(dicts, tasks={}).column_names == ["id", "text", "problem"]
    assert table([]).schema == made.schema
    assert table([{"text": "x", "label": ["a", "b"]}])["sent_label"].to_pylist() == ["a,b"]


@pytest.mark.parametrize(
    ("row", "kind", "told"),
    [
        ("just a text", "not a dict", 'give a dict such as {"text": "..."}'),
        (None, "not a dict", "NoneType"),
        ({"txt": "x", 3: 4}, "missing text", "keys: 3, txt"),
        ({"text": 5}, "not a text", "int, not a string"),
        ({"text": ("a", "b")}, "not a text", "tuple, not a string"),
        ({"text": "x" * 51}, "text too long", "51 characters; split it, or allow longer ones with max_text_chars=51"),
        ({"text": "bad \ud83d"}, "broken text", "half a surrogate pair"),
    ],
)
def test_rows_that_cannot_be_meant(row, kind, told):
    made = table([{"text": "x"}, row, {"text": None}])
    problem = made["problem"].to_pylist()[1]
    assert problem["kind"] == kind
    assert problem["message"].startswith("n1: ")
    assert told in problem["message"]
    assert made["problem"].to_pylist()[::2] == [None, None]
    assert made["text"].to_pylist()[::2] == ["x", None]


def test_a_problem_the_reader_found_rides_along():
    problem = {"stage": "file_to_dicts", "kind": "broken quote", "message": "x", "line": 3}
    made = table([{"text": None, "problem": problem}])
    assert made["problem"].to_pylist()[0] == {**problem, "file": None, "value": None}


def test_whole_dicts_for_user_labels():
    made = table([{"text": "x", "stars": (1, 2), "when": object}], with_dictionary=True)
    row = json.loads(made["dictionary"].to_pylist()[0])
    assert (row["text"], row["stars"]) == ("x", [1, 2])

import json

import pytest

from farm_ray.data_handler.processor.dicts import dicts_table, external_id
from tests.tasks.making import make_task

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
    assert table([{"text": "x", "label": ["a", "b"]}])["sent_label"].to_pylist() == ['["a", "b"]']


@pytest.mark.parametrize(
    ("row", "kind", "told"),
    [
        ("just a text", "not a dict", 'give a dict such as {"text": "..."}'),
        (None, "not a dict", "NoneType"),
        ({"txt": "x", 3: 4}, "missing text", "keys: 3, txt"),
        ({"text": 5}, "not a text", "int, not a string"),
        ({"text": ("a", "b")}, "not a text", "tuple, not a string, and this processor reads single texts (for pairs"),
        ({"text": "a", "text_b": "b"}, "not a text", 'there is a "text_b", and this processor reads single texts'),
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


def test_pairs():
    dicts = [
        {"text": ("a", "b")},
        {"text": ["a", "b"], "text_b": "b", "label": "a"},
        {"text": "a", "text_b": "b", "id": "q"},
        {"text": ("a", None)},
        {"text": None, "text_b": "b"},
    ]
    made = table(dicts, pairs=True)
    assert made.column_names == ["id", "text", "text_b", "sent_label", "problem"]
    assert made["text"].to_pylist() == ["a", "a", "a", "a", None]
    assert made["text_b"].to_pylist() == ["b", "b", "b", None, "b"]
    assert made["problem"].null_count == 5
    assert table([], pairs=True).schema == made.schema


@pytest.mark.parametrize(
    ("row", "kind", "told"),
    [
        (("a", "b"), "not a dict", 'give a dict such as {"text": ("...", "...")} or {"text": "...", "text_b": "..."}'),
        ({"text_b": "x"}, "missing text", "keys: text_b); give a dict such as {"),
        ({"text": "a"}, "not a pair", 'there is no second text "text_b"; give a dict such as {"text": ("...", "...")}'),
        ({"text": None}, "not a pair", 'there is no second text "text_b"'),
        ({"text": ("a",)}, "not a pair", '"text" is a tuple of 1, not of two texts'),
        ({"text": ["a", "b", "c"]}, "not a pair", '"text" is a list of 3, not of two texts'),
        ({"text": ("a", "b"), "text_b": "c"}, "not a pair", '"text_b" differs from the second text in "text"'),
        ({"text": ("a", 5)}, "not a text", '"text_b" is a int, not a string'),
        ({"text": {"a": 1}, "text_b": "b"}, "not a text", '"text" is a dict, not a string'),
        ({"text": ("a", "x" * 51)}, "text too long", '"text_b" has 51 characters; split it'),
        ({"text": ("a", "bad \ud83d")}, "broken text", '"text_b" holds half a surrogate pair'),
        ({"text": ("a", float("nan"))}, "not a text", '"text_b" is a float'),
    ],
)
def test_pairs_that_cannot_be_meant(row, kind, told):
    made = table([{"text": ("x", "y")}, row, {"text": ("x", "y")}], pairs=True)
    problem = made["problem"].to_pylist()[1]
    assert problem["kind"] == kind
    assert problem["message"].startswith("n1: ")
    assert told in problem["message"]
    assert made["problem"].to_pylist()[::2] == [None, None]
    assert made["text_b"].to_pylist()[::2] == ["y", "y"]


def test_a_problem_the_reader_found_rides_along():
    problem = {"stage": "file_to_dicts", "kind": "broken quote", "message": "x", "line": 3}
    made = table([{"text": None, "problem": problem}])
    assert made["problem"].to_pylist()[0] == {**problem, "file": None, "value": None}


def test_whole_dicts_for_user_labels():
    made = table([{"text": "x", "stars": (1, 2), "when": object}], with_dictionary=True)
    row = json.loads(made["dictionary"].to_pylist()[0])
    assert (row["text"], row["stars"]) == ("x", [1, 2])

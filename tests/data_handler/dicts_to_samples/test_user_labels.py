import json

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.dicts_to_samples.user_labels import user_label_samples
from tests.tasks.making import make_task

TASKS = {"sent": make_task("sent", metric="acc", label_list=["bad", "good"], task_type="classification")}


def made(convert, **columns):
    given = pa.table({"id": ["0", "1", "2"], "text": ["a", "b", ""], **columns, "problem": problems.none(3)})
    return user_label_samples(given, tasks=TASKS, convert=convert)


def test_the_function_sees_any_key_of_the_dict():
    rows = [json.dumps({"text": "a", "stars": stars}) for stars in (5, 1, 3)]
    table = made(lambda row: {"sent_label_ids": [int(row["stars"] > 2)]}, sent_label=["", "", ""], dictionary=rows)
    assert table["sent_label_ids"].to_pylist() == [[1], [0], None]
    assert table["problem"].to_pylist()[2]["kind"] == "empty text"


def test_rows_of_a_file_are_dicts_of_their_columns():
    table = made(lambda row: {"sent_label_ids": [len(row["sent_label"])]}, sent_label=["x", "yy", ""])
    assert table["sent_label_ids"].to_pylist() == [[1], [2], None]


def test_what_it_raises_or_a_wrong_length_is_the_rows_problem():
    answers = {"a": {"sent_label_ids": [1, 2]}}
    table = made(lambda row: answers[row["text"]], sent_label=["x", "yy", ""])
    assert table["sent_label_ids"].to_pylist() == [None, None, None]
    assert [one["kind"] for one in table["problem"].to_pylist()] == ["bad label", "bad label", "empty text"]
    assert "KeyError: 'b'" in table["problem"].to_pylist()[1]["message"]

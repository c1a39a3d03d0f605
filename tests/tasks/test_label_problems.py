"""Rows whose label is missing or invalid, each with a hint."""

import pyarrow as pa
import pytest

from farm_ray.data_handler import problems
from farm_ray.errors import DataProblemError
from farm_ray.tasks import label_problems
from tests.tasks.making import make_task

TASK = make_task("sent", label_list=["OTHER", "OFFENSE"], label_column_name="kind", task_type="classification")


@pytest.mark.parametrize(
    ("label", "known", "hint"),
    [
        ("1", ["a", "b"], 'write "b" if 1 stands for it'),
        ("2", ["a", "b"], "correct the row or add the label to label_list"),
        ("1", ["0", "2"], "correct the row or add"),
        (" other", ["OTHER"], 'did you mean "OTHER"'),
        ("OFENSE", ["OTHER", "OFFENSE"], 'did you mean "OFFENSE"'),
    ],
)
def test_hints(label, known, hint):
    assert hint in label_problems.hint_for(label, known)


def test_problems_name_column_value_and_the_first_labels():
    missing = label_problems.missing_label("train.tsv:7", TASK)
    assert (missing.file, missing.line, missing.kind) == ("train.tsv", 7, "missing label")
    assert 'no label in column "kind"' in missing.message
    many = make_task("sent", label_list=[str(n) for n in range(30)], task_type="classification")
    unknown = label_problems.unknown_label("a:2", "x" * 99, many, "do this")
    assert "18, 19, ... 30 labels]; do this" in unknown.message
    assert len(unknown.value) == 80


def test_only_rows_that_had_no_problem_are_told():
    earlier = problems.at("a:2", stage="s", kind="k", message="m")
    dicts = pa.table({"id": ["a:2", "a:3", "a:4"], "problem": problems.column([earlier, None, None])})
    where, values = pa.array([True, True, False]), pa.array(["x", "y", "z"])
    found = label_problems.problems_where(dicts, where, lambda *of: of, values)
    assert found == {1: ("a:3", "y")}


def test_what_a_user_s_function_raises_is_the_row_s_problem():
    def convert(row):
        if row == 1:
            raise DataProblemError("no such mood")
        return [0, 1][: 1 + (row == 2)] if row != 3 else [1 / 0]

    dicts = pa.table({"id": [f"a:{n}" for n in range(2, 6)], "problem": problems.none(4)})
    labels, found = label_problems.labels_row_by_row(dicts, TASK, convert)
    assert labels.to_pylist() == [[0]] * 4
    assert [(row, problem.kind) for row, problem in found.items()] == [(row, "bad label") for row in (1, 2, 3)]
    assert "(no such mood)" in found[1].message
    assert "(ZeroDivisionError: " in found[3].message

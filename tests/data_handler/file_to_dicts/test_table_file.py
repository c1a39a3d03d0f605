"""Rows gathered into tables: sizes, ids, problems in their places."""

import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.table_file import Rows, TableFile

FILE = TableFile(uri="data/a.tsv", name="a.tsv", columns={"x": "text"}, rows_per_table=2)


@pytest.mark.parametrize("pauses", [(), (1,), (2, 3), (1, 2, 3, 4, 5)])
def test_tables_do_not_depend_on_when_they_are_taken(pauses):
    rows, tables = Rows(FILE), []
    for number in range(1, 6):
        found = {0: FILE.problem(number, "odd", "is odd")} if number % 2 else None
        rows.add([number], [[None if found else f"t{number}"]], found)
        if number in pauses:
            tables += rows.tables()
    tables += rows.tables(rest=True)
    assert [table.num_rows for table in tables] == [2, 2, 1]
    got = [row for table in tables for row in table.to_pylist()]
    assert [row["id"] for row in got] == [f"a.tsv:{n}" for n in range(1, 6)]
    assert [row["text"] for row in got] == [None, "t2", None, "t4", None]
    assert [row["problem"] and row["problem"]["message"] for row in got] == [
        "a.tsv:1 is odd",
        None,
        "a.tsv:3 is odd",
        None,
        "a.tsv:5 is odd",
    ]
    assert rows.total == 5
    assert all(table.schema.field("problem").type == problems.PROBLEM for table in tables)


def test_missing_columns_name_those_there():
    error = FILE.missing_error(["text", "label"], ["txt", "b"])
    assert str(error) == 'data/a.tsv has no column "text" and "label"; its columns are "txt", "b"; did you mean "txt"?'
    assert FILE.missing_columns(["y"]) == ["x"]


def test_a_column_that_is_read_already_is_not_the_one_that_was_meant():
    pairs = TableFile(uri="a.tsv", name="a.tsv", columns={"text": "text", "text_b": "text_b"})
    told = 'a.tsv has no column "text_b"; its columns are "text", "label"'
    assert str(pairs.missing_error(["text_b"], ["text", "label"])) == told
    assert str(pairs.missing_error(["text_b"], ["text", "text b"])).endswith('did you mean "text b"?')

"""What is known about an input beside its answer."""

import numpy as np
import pyarrow as pa
import pytest

from farm_ray.infer import rows

TABLE = pa.table(
    {
        "id": ["1", "2", "3"],
        "text": ["a film", None, "bad"],
        "text_b": ["a fool", "x", None],
        "clipped": [True, False, False],
        "problem": pa.array([None, {"kind": "empty text"}, None]),
    }
)


def test_contexts_of_texts_and_of_pairs():
    assert rows.contexts(TABLE) == ["a film|a fool", None, "bad"]
    assert rows.contexts(TABLE.drop_columns(["text_b"])) == ["a film", None, "bad"]


def test_answers_stand_between_texts_and_the_rest():
    columns = {"label": rows.scattered(pa.array(["x", "y"]), np.array([0, 2]), 3)}
    table = rows.beside_answers(TABLE, columns)
    assert table.column_names == ["id", "text", "text_b", "label", "clipped", "problem"]
    assert table["label"].to_pylist() == ["x", None, "y"]
    assert [set(row) for row in rows.about(table)] == [{"id", "clipped", "problem"}] * 3


@pytest.mark.parametrize(("where", "expected"), [([], [None, None]), ([1, 0], ["b", "a"])])
def test_values_go_to_their_rows(where, expected):
    values = pa.array(["a", "b"][: len(where)], pa.string())
    assert rows.scattered(values, np.array(where, np.int64), 2).to_pylist() == expected

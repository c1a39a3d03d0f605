"""Columns of units: sums over all of them, whatever the batches, the ranks and their order."""

import math

import numpy as np
import pytest

from farm_ray.evaluation.counted import CountedColumns


def ids(*values):
    return np.array(values, np.int32)


def columns(*rows):
    """One batch per row: (position, loss, predictions, labels)."""
    made = CountedColumns()
    for position, loss, preds, labels in rows:
        made.add(
            np.array([position]), np.array([loss], np.float32), [ids(*preds)], [ids(*labels)], np.array([len(labels)])
        )
    return made


ROWS = [(0, 6.0, (1, 2), (1, 3)), (1, 0.0, (), ()), (2, 3.0, (5,), (5,)), (3, 1.5, (7, 8, 9), (7, 8, 1))]


def results(made, **options):
    return made.results(["acc"], **{"report": False, "with_columns": True, **options})


def test_the_mean_is_over_units():
    found = results(columns(*ROWS))
    assert found["loss"] == pytest.approx(10.5 / 6)
    assert found["perplexity"] == pytest.approx(math.exp(10.5 / 6))
    assert found["acc"] == pytest.approx(4 / 6)
    assert [row.tolist() for row in found["preds"]] == [[1, 2], [], [5], [7, 8, 9]]
    assert [row.tolist() for row in found["labels"]] == [[1, 3], [], [5], [7, 8, 1]]


def test_ranks_are_joined_in_row_order():
    joined = CountedColumns.joined([columns(ROWS[3], ROWS[1]), CountedColumns(), columns(ROWS[2], ROWS[0])])
    whole, parts = results(columns(*ROWS)), results(joined)
    assert parts["loss"] == whole["loss"]
    assert joined.positions[0].tolist() == [0, 1, 2, 3]
    for name in ("preds", "labels"):
        assert [row.tolist() for row in parts[name]] == [row.tolist() for row in whole[name]]


def test_the_report_tells_how_many():
    report = results(columns(*ROWS), report=True)["report"]
    assert report == "4 of 6 predicted tokens are right, in 4 rows; perplexity 5.7546"


def test_no_units_give_no_numbers():
    found = results(CountedColumns())
    assert math.isnan(found["loss"])
    assert math.isnan(found["acc"])


def test_a_ruined_model_has_no_end_of_perplexity():
    assert results(columns((0, 1e6, (1,), (2,))))["perplexity"] == math.inf

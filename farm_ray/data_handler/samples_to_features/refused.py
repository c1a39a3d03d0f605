"""Rows whose text the tokenizer refuses: they keep their place, with a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.data_handler import problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from farm_ray.data_handler.problems import Problem

STAGE = "samples_to_features"


def problems_of(samples: pa.Table, refused: Mapping[int, object]) -> pa.Array:
    """The `problem` column of the samples with one more entry per refused row, [rows].

    Args:
        samples: Columns id and problem.
        refused: Position of a row -> what the tokenizer said.
    """
    earlier = problems.of(samples)
    if not refused:
        return earlier
    ids = samples.column("id")
    later = [_problem(ids[row].as_py(), refused[row]) if row in refused else None for row in range(samples.num_rows)]
    return problems.first_of_each(earlier, later)


def _problem(row_id: str, reason: object) -> Problem:
    message = f"{row_id}: the tokenizer refused the text: {reason}; correct the row or use another tokenizer"
    return problems.at(row_id, stage=STAGE, kind="cannot tokenize", message=message)

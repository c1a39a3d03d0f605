"""Dicts whose text may be a list of words, as the first table of the data pipeline. One row per dict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from farm_ray.data_handler import problems
from farm_ray.data_handler.processor.dicts import STAGE, dicts_table, external_id

if TYPE_CHECKING:
    import pyarrow as pa

    from farm_ray.data_handler.given_rows import Row
    from farm_ray.data_handler.problems import Problem
    from farm_ray.tasks.task import Tasks


def word_dicts_table(
    dicts: Sequence[object], default_ids: Iterable[str], *, tasks: Tasks, max_text_chars: int
) -> pa.Table:
    """As `dicts_table`; a `text` that is a list of words is joined by spaces.

    Args:
        dicts: One dict per row: `text` is a text or the list of its words; labels stand under each task's
            `label_name` or `label_column_name`.
        default_ids: Ids of the rows whose dict brings none, one per row.
        tasks: Whose labels to read; none in inference.
        max_text_chars: Longer texts become a problem.
    """
    names = list(default_ids)
    rows = []
    for row, name in zip(dicts, names, strict=True):
        plain, problem = _with_text(row, name)
        rows.append(plain if problem is None else {**plain, problems.COLUMN: asdict(problem)})
    return dicts_table(rows, names, tasks=tasks, max_text_chars=max_text_chars)


def _with_text(row: Any, name: str) -> tuple[Any, Problem | None]:
    """The row with its words joined by spaces; and what is wrong with one of them."""
    words = row.get("text") if isinstance(row, Mapping) else None
    if not isinstance(words, list | tuple):
        return row, None
    joined = {key: value for key, value in row.items() if key != "text"}
    for place, word in enumerate(words, 1):
        if not isinstance(word, str):
            told = f'word {place} of "text" is a {type(word).__name__}; write each word as a string'
            return joined, _at(row, name, "not a text", told, word)
        if word.split() != [word]:
            kind = "whitespace in a token" if word.strip() else "empty token"
            told = f'word {place} of "text" is {problems.shorten(word)!r}; a word holds no whitespace, and is not empty'
            return joined, _at(row, name, kind, told, word)
    return joined | {"text": " ".join(words)}, None


def _at(row: Row, name: str, kind: str, message: str, value: object) -> Problem:
    own = external_id(row)
    row_id = name if own is None else own
    return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id}: {message}", value=value)

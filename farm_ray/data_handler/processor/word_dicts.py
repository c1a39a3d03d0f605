"""Dicts whose words have tags, as the first table of the data pipeline. One row per dict, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.conll import TAGS
from farm_ray.data_handler.processor.dicts import STAGE, clean, dicts_table, external_id
from farm_ray.data_handler.samples import WORD_TASK

if TYPE_CHECKING:
    from farm_ray.data_handler.problems import Problem

_WAY_OUT = 'give a list such as ["O", "B-PER"] with one for each word'


def word_dicts_table(
    dicts: Sequence[Any],
    default_ids: Iterable[str],
    *,
    tasks: Mapping[str, Mapping[str, Any]],
    max_text_chars: int,
) -> pa.Table:
    """As `dicts_table`, with lists of tags (list<string>) for the tasks on words; one row per element, in order.

    Args:
        dicts: One dict per row: `text` is a text or the list of its words; labels stand under each task's
            `label_name` or `label_column_name`.
        default_ids: Ids of the rows whose dict brings none, one per row.
        tasks: Whose labels to read; none in inference.
        max_text_chars: Longer texts become a problem.
    """
    names = list(default_ids)
    tags: dict[str, list[list[str | None] | None]] = {
        task["label_name"]: [] for task in tasks.values() if task["task_type"] == WORD_TASK
    }
    rows = []
    for row, name in zip(dicts, names, strict=True):
        plain, problem = _with_text(row, name)
        for task in tasks.values():
            if task["task_type"] == WORD_TASK:
                one, wrong = _tags(row, task, name)
                tags[task["label_name"]].append(one)
                problem = problem or wrong
        rows.append(plain if problem is None else {**plain, problems.COLUMN: asdict(problem)})
    others = {name: task for name, task in tasks.items() if task["task_type"] != WORD_TASK}
    table = dicts_table(rows, names, tasks=others, max_text_chars=max_text_chars)
    columns = {name: table.column(name) for name in ("id", "text")}
    for task in tasks.values():
        label = task["label_name"]
        columns[label] = pa.array(tags[label], TAGS) if label in tags else table.column(label)
    return pa.table({**columns, problems.COLUMN: table.column(problems.COLUMN)})


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


def _tags(row: Any, task: Mapping[str, Any], name: str) -> tuple[list[str | None] | None, Problem | None]:
    if not isinstance(row, Mapping):
        return None, None
    value = row.get(task["label_name"])
    if value is None and task["label_column_name"] is not None:
        value = row.get(task["label_column_name"])
    if value is None:
        return None, None
    value = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(value, list | tuple):
        told = f'"{task["label_name"]}" is a {type(value).__name__}, not a list of tags; {_WAY_OUT}'
        return None, _at(row, name, "no list of tags", told, value)
    nested = next((tag for tag in value if isinstance(tag, list | tuple | dict)), None)
    if nested is not None:
        told = f'"{task["label_name"]}" holds a {type(nested).__name__} as a tag; {_WAY_OUT}'
        return None, _at(row, name, "no list of tags", told, nested)
    return [None if tag is None else clean(str(tag)) for tag in value], None


def _at(row: Mapping[str, Any], name: str, kind: str, message: str, value: object) -> Problem:
    own = external_id(row)
    row_id = name if own is None else own
    return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id}: {message}", value=value)

"""Dicts that people hand in, as the first table of the data way. One row per dict, whatever it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.dicts_to_samples.user_labels import DICTIONARY
from farm_ray.data_handler.problems import Problem
from farm_ray.data_handler.samples import ID_KEYS

STAGE = "dicts"

_WAY_OUT = 'give a dict such as {"text": "..."}'


def external_id(dictionary: Mapping[str, Any]) -> str | None:
    """The id a dict brings along: of the first key it has among example_id, external_id, doc_id, id; else None.

    0 and "" are ids; of a list the first element counts.
    """
    for key in ID_KEYS:
        value = dictionary.get(key)
        if isinstance(value, list | tuple):
            value = value[0] if value else None
        if value is not None:
            return _clean(str(value))
    return None


def dicts_table(
    dicts: Sequence[Any],
    default_ids: Iterable[str],
    *,
    tasks: Mapping[str, Mapping[str, Any]],
    max_text_chars: int,
    with_dictionary: bool = False,
) -> pa.Table:
    """Columns id, text, one per task's `label_name`, problem; one row per element, in order.

    Args:
        dicts: One dict with a `text` per row; anything else becomes a row with a problem.
        default_ids: Ids of the rows whose dict brings none, one per row.
        tasks: Whose labels to read; none in inference.
        max_text_chars: Longer texts become a problem.
        with_dictionary: Add the column `dictionary`.
    """
    rows: list[Mapping[str, Any]] = [row if isinstance(row, Mapping) else {} for row in dicts]
    own_ids = [external_id(row) for row in rows]
    ids = [name if own is None else own for own, name in zip(own_ids, default_ids, strict=True)]
    found = [_problem(name, row, max_text_chars) for name, row in zip(ids, dicts, strict=True)]
    texts = [
        row.get("text") if problem is None else _readable(row.get("text"), max_text_chars)
        for row, problem in zip(rows, found, strict=True)
    ]
    columns: dict[str, pa.Array] = {"id": pa.array(ids, pa.string()), "text": pa.array(texts, pa.string())}
    for task in tasks.values():
        columns[task["label_name"]] = pa.array([_label(row, task) for row in rows], pa.string())
    if with_dictionary:
        columns[DICTIONARY] = pa.array([_as_json(row) for row in rows], pa.string())
    columns[problems.COLUMN] = problems.column(found)
    return pa.table(columns)


def _problem(row_id: str, row: Any, max_text_chars: int) -> Problem | None:
    if not isinstance(row, Mapping):
        return _at(row_id, "not a dict", f"this is a {type(row).__name__}; {_WAY_OUT}", row)
    given = row.get(problems.COLUMN)
    if isinstance(given, Mapping) and {"stage", "kind", "message"} <= set(given):
        fields: dict[str, Any] = {name: given.get(name) for name in problems.PROBLEM.names}
        return Problem(**fields)
    if "text" not in row:
        keys = ", ".join(sorted(map(str, row))) or "none"
        return _at(row_id, "missing text", f'the dict has no "text" (keys: {keys}); {_WAY_OUT}', None)
    return None if row["text"] is None else _text_problem(row_id, row["text"], max_text_chars)


def _text_problem(row_id: str, text: Any, max_text_chars: int) -> Problem | None:
    if not isinstance(text, str):
        return _at(row_id, "not a text", f'"text" is a {type(text).__name__}, not a string; {_WAY_OUT}', text)
    if len(text) > max_text_chars:
        way_out = f"split it, or allow longer ones with max_text_chars={len(text)}"
        return _at(row_id, "text too long", f"the text has {len(text)} characters; {way_out}", text)
    if not _is_unicode(text):
        return _at(row_id, "broken text", '"text" holds half a surrogate pair; decode it as UTF-8 first', text)
    return None


def _at(row_id: str, kind: str, message: str, value: object) -> Problem:
    return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id}: {message}", value=value)


def _readable(text: Any, max_text_chars: int) -> str | None:
    return _clean(text) if isinstance(text, str) and len(text) <= max_text_chars else None


def _label(row: Mapping[str, Any], task: Mapping[str, Any]) -> str | None:
    label = row.get(task["label_name"])
    if label is None and task["label_column_name"] is not None:
        label = row.get(task["label_column_name"])
    if label is None or isinstance(label, str):
        return None if label is None else _clean(label)
    if isinstance(label, list | tuple):
        return ",".join(_clean(str(one)) for one in label)
    return str(label)


def _as_json(row: Mapping[str, Any]) -> str:
    return json.dumps({str(key): value for key, value in row.items()}, default=str)


def _clean(text: str) -> str:
    return text if _is_unicode(text) else text.encode("utf-8", "backslashreplace").decode()


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

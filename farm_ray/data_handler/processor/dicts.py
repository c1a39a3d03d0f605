"""Dicts that people hand in, as the first table of the data pipeline. One row per dict, whatever it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.clean_text import clean, is_unicode
from farm_ray.data_handler.dicts_to_samples.user_labels import DICTIONARY
from farm_ray.data_handler.problems import Problem
from farm_ray.data_handler.sample_columns import ID_KEYS, TEXT_B

if TYPE_CHECKING:
    from farm_ray.data_handler.given_rows import Row, RowDict
    from farm_ray.tasks.task import Tasks

STAGE = "dicts"

_WAY_OUT = 'give a dict such as {"text": "..."}'
_WAY_OUT_PAIRS = 'give a dict such as {"text": ("...", "...")} or {"text": "...", "text_b": "..."}'
_SINGLE = (
    "this processor reads single texts (for pairs there are TextPairClassificationProcessor, "
    'TextPairRegressionProcessor, and InferenceProcessor with text_b_column_name="text_b")'
)


def external_id(dictionary: Mapping[str, object]) -> str | None:
    """The id a dict brings along: of the first key it has among example_id, external_id, doc_id, id; else None.

    0 and "" are ids; of a list the first element counts.
    """
    for key in ID_KEYS:
        value = dictionary.get(key)
        if isinstance(value, list | tuple):
            value = value[0] if value else None
        if value is not None:
            return clean(str(value))
    return None


def dicts_table(
    dicts: Sequence[object],
    default_ids: Iterable[str],
    *,
    tasks: Tasks,
    max_text_chars: int,
    with_dictionary: bool = False,
    pairs: bool = False,
) -> pa.Table:
    """Columns id, text, text_b with `pairs`, one per task's `label_name`, problem; one row per element, in order.

    Args:
        dicts: One dict with a `text` per row; anything else becomes a row with a problem. With `pairs`, `text` is a
            tuple or list of two texts, or the second one stands under `text_b`.
        default_ids: Ids of the rows whose dict brings none, one per row.
        tasks: Whose labels to read; none in inference.
        max_text_chars: Longer texts become a problem.
        with_dictionary: Add the column `dictionary`.
        pairs: Whether rows are pairs of texts.
    """
    rows: list[Row] = [row if isinstance(row, Mapping) else {} for row in dicts]
    own_ids = [external_id(row) for row in rows]
    ids = [name if own is None else own for own, name in zip(own_ids, default_ids, strict=True)]
    found = [_problem(name, row, max_text_chars, pairs=pairs) for name, row in zip(ids, dicts, strict=True)]
    columns: dict[str, pa.Array] = {"id": pa.array(ids, pa.string())}
    read = [_texts(row) if pairs else {"text": row.get("text")} for row in rows]
    for name in ("text", TEXT_B) if pairs else ("text",):
        texts = [
            texts.get(name) if problem is None else _readable(texts.get(name), max_text_chars)
            for texts, problem in zip(read, found, strict=True)
        ]
        columns[name] = pa.array(texts, pa.string())
    columns |= _label_columns(rows, ids, tasks, found)
    if with_dictionary:
        columns[DICTIONARY] = pa.array([_as_json(row) for row in rows], pa.string())
    columns[problems.COLUMN] = problems.column(found)
    return pa.table(columns)


def own_dicts_table(dicts: Sequence[object], default_ids: Iterable[str], *, tasks: Tasks, pairs: bool) -> pa.Table:
    """As `dicts_table` with the column `dictionary`, for a processor that makes its own features.

    A dict may hold anything that JSON can. `text` is the text, or the whole dict as JSON where it has none.
    """
    rows: list[Row] = [row if isinstance(row, Mapping) else {} for row in dicts]
    own_ids = [external_id(row) for row in rows]
    ids = [name if own is None else own for own, name in zip(own_ids, default_ids, strict=True)]
    written: list[str] = []
    found: list[Problem | None] = []
    for row_id, row in zip(ids, dicts, strict=True):
        problem, text = None, "{}"
        if not isinstance(row, Mapping):
            problem = _at(row_id, "not a dict", f"this is a {type(row).__name__}; give a dict", row)
        elif (problem := given_problem(row)) is None:
            try:
                text = _as_json(row, strict=True)
            except (TypeError, ValueError, RecursionError) as error:
                problem = _at(
                    row_id, "not plain", f"the dict cannot travel ({error}); give texts, numbers, lists", None
                )
        written.append(text)
        found.append(problem)
    texts = [_texts(row) if pairs else {"text": row.get("text")} for row in rows]
    columns: dict[str, pa.Array] = {"id": pa.array(ids, pa.string())}
    for name in ("text", TEXT_B) if pairs else ("text",):
        shown = [_shown(of_row.get(name), whole) for of_row, whole in zip(texts, written, strict=True)]
        columns[name] = pa.array(shown, pa.string())
    columns |= _label_columns(rows, ids, tasks, found)
    columns[DICTIONARY] = pa.array(written, pa.string())
    columns[problems.COLUMN] = problems.column(found)
    return pa.table(columns)


def _label_columns(
    rows: Sequence[Row], ids: Sequence[str], tasks: Tasks, found: list[Problem | None]
) -> dict[str, pa.Array]:
    """The labels of the rows by `label_name`; what is wrong with one is put into `found` where there is nothing yet."""
    columns = {}
    for task in tasks.values():
        cells = [task.labels.cell(row, task, row_id) for row, row_id in zip(rows, ids, strict=True)]
        columns[task.label_name] = pa.array([value for value, _ in cells], task.labels.cells)
        for place, (_, wrong) in enumerate(cells):
            found[place] = found[place] or wrong
    return columns


def _shown(text: object, whole: str) -> str:
    return clean(text) if isinstance(text, str) else whole


def _texts(row: Row) -> dict[str, object]:
    """The texts of a pair by column; without `text_b` where there is no second one."""
    text: Any = row.get("text")
    if _is_list(text) and len(text) == 2:  # noqa: PLR2004 - a pair
        return {"text": text[0], TEXT_B: text[1]}
    return {name: row[name] for name in ("text", TEXT_B) if name in row}


def _problem(row_id: str, row: object, max_text_chars: int, *, pairs: bool) -> Problem | None:
    way_out = _WAY_OUT_PAIRS if pairs else _WAY_OUT
    if not isinstance(row, Mapping):
        return _at(row_id, "not a dict", f"this is a {type(row).__name__}; {way_out}", row)
    if (given := given_problem(row)) is not None:
        return given
    if "text" not in row:
        keys = ", ".join(sorted(map(str, row))) or "none"
        return _at(row_id, "missing text", f'the dict has no "text" (keys: {keys}); {way_out}', None)
    wrong = _why_no_pair(row) if pairs else _why_not_single(row)
    if wrong:
        return _at(row_id, "not a pair" if pairs else "not a text", f"{wrong}; {way_out}", row["text"])
    texts = _texts(row) if pairs else {"text": row["text"]}
    found = (_text_problem(row_id, name, text, max_text_chars, way_out) for name, text in texts.items())
    return next(filter(None, found), None)


def given_problem(row: Row) -> Problem | None:
    """What an earlier reader found."""
    given = row.get(problems.COLUMN)
    if not isinstance(given, Mapping) or not {"stage", "kind", "message"} <= set(given):
        return None
    fields: RowDict = {name: given.get(name) for name in problems.PROBLEM.names}
    return Problem(**fields)


def _why_no_pair(row: Row) -> str | None:
    text, texts = row["text"], _texts(row)
    if TEXT_B not in texts:
        of_several = f'"text" is a {type(text).__name__} of {len(text)}, not of two texts' if _is_list(text) else None
        return of_several or 'there is no second text "text_b"'
    # FARM's dicts of files hold the second text twice.
    twice = _is_list(text) and isinstance(row.get(TEXT_B), str) and row[TEXT_B] != texts[TEXT_B]
    return '"text_b" differs from the second text in "text"' if twice else None


def _why_not_single(row: Row) -> str | None:
    if _is_list(row["text"]):
        return f'"text" is a {type(row["text"]).__name__}, not a string, and {_SINGLE}'
    return f'there is a "text_b", and {_SINGLE}' if row.get(TEXT_B) is not None else None


def _is_list(value: object) -> bool:
    return isinstance(value, tuple | list)


def _text_problem(row_id: str, name: str, text: object, max_text_chars: int, way_out: str) -> Problem | None:
    if text is None:
        return None
    if not isinstance(text, str):
        return _at(row_id, "not a text", f'"{name}" is a {type(text).__name__}, not a string; {way_out}', text)
    if len(text) > max_text_chars:
        shorter = f"split it, or allow longer ones with max_text_chars={len(text)}"
        which = "the text" if name == "text" else f'"{name}"'
        return _at(row_id, "text too long", f"{which} has {len(text)} characters; {shorter}", text)
    if not is_unicode(text):
        return _at(row_id, "broken text", f'"{name}" holds half a surrogate pair; decode it as UTF-8 first', text)
    return None


def _at(row_id: str, kind: str, message: str, value: object) -> Problem:
    return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id}: {message}", value=value)


def _readable(text: object, max_text_chars: int) -> str | None:
    return clean(text) if isinstance(text, str) and len(text) <= max_text_chars else None


def _as_json(row: Row, *, strict: bool = False) -> str:
    return json.dumps({str(key): value for key, value in row.items()}, default=_plain if strict else _plain_or_text)


def _plain_or_text(value: object) -> object:
    try:
        return _plain(value)
    except TypeError:
        return str(value)


def _plain(value: object) -> object:
    """What JSON holds instead of a value that it does not know."""
    if isinstance(value, date | time | Decimal | PurePath | UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, Mapping):
        return dict(value)
    if callable(as_list := getattr(value, "tolist", None)):
        return as_list()
    raise TypeError(f"it holds a {type(value).__name__}")

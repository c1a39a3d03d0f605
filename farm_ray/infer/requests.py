"""From what a caller sends to a table of dicts: every element keeps its place, also one that cannot be meant.

Imports neither ray nor torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.problems import Problem
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from farm_ray.data_handler.processor import Processor

STAGE = "request"
"""The `stage` of problems found here: before the first arrow."""

_FORM = '{"text": "..."}'


def request_table(dicts: Sequence[Any], processor: Processor, *, first_index: int = 0) -> pa.Table:
    """The dicts as a table with columns id, text and problem; one row per element, in order.

    Args:
        dicts: What the caller sent; anything that is not a dict with a text becomes a row with a problem.
        processor: Decides ids and columns (`dicts_to_table`).
        first_index: Number of the first element, the id of an element that brings none.
    """
    indices = list(range(first_index, first_index + len(dicts)))
    found = [_problem(element, index) for element, index in zip(dicts, indices, strict=True)]
    readable = [
        element if problem is None else _without_text(element)
        for element, problem in zip(dicts, found, strict=True)
    ]
    table = processor.dicts_to_table(readable, indices=indices)
    merged = problems.first_of_each(problems.column(found), problems.of(table).to_pylist_problems())
    return table.set_column(table.column_names.index(problems.COLUMN), problems.COLUMN, merged)


def chunks(dicts: Iterable[Any], rows: int) -> Iterator[list[Any]]:
    """Lists of at most `rows` elements, read only as they are asked for."""
    remaining = iter(dicts)
    while chunk := list(itertools.islice(remaining, rows)):
        yield chunk


def check_is_iterable_of_dicts(dicts: Any) -> None:
    """Raises ConfigError for one dict or one text where a list is meant."""
    if isinstance(dicts, Mapping | str | bytes) or not isinstance(dicts, Iterable):
        raise ConfigError(f"dicts must be a list such as [{_FORM}], not one {type(dicts).__name__}", value=repr(dicts))


def _problem(element: Any, index: int) -> Problem | None:
    if not isinstance(element, Mapping):
        return _at(index, "wrong type", f"an input must be a dict such as {_FORM}, not {type(element).__name__}", element)
    if "text" not in element:
        keys = ", ".join(sorted(map(str, element))) or "none"
        return _at(index, "missing text", f'an input needs the key "text"; keys there: {keys}', None)
    text = element["text"]
    if not isinstance(text, str):
        return _at(index, "wrong type", f'"text" must be a string, not {type(text).__name__}', text)
    if not _is_utf8(text):
        return _at(index, "undecodable text", '"text" holds half a surrogate pair; decode it as UTF-8 first', text)
    return None


def _at(index: int, kind: str, message: str, value: Any) -> Problem:
    return problems.at(str(index), stage=STAGE, kind=kind, message=f"input {index}: {message}", value=value)


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _without_text(element: Any) -> dict[str, Any]:
    kept = dict(element) if isinstance(element, Mapping) else {}
    return {**kept, "text": None}

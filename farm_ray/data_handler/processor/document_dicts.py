"""Documents that people hand in as dicts, as the first table of the data pipeline. One row per dict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.clean_text import clean
from farm_ray.data_handler.file_to_dicts.documents import SCHEMA
from farm_ray.data_handler.processor.dicts import STAGE, external_id, given_problem

if TYPE_CHECKING:
    from farm_ray.data_handler.given_rows import Row
    from farm_ray.data_handler.problems import Problem

_WAY_OUT = 'give a dict such as {"doc": ["First sentence.", "Second sentence."]}'


def document_dicts_table(dicts: Sequence[object], default_ids: Iterable[str]) -> pa.Table:
    """`documents.SCHEMA`; one row per element, in order.

    Args:
        dicts: One dict per row with a `doc`: the list of its sentences, or a text with a sentence on each line.
            Whitespace around sentences is taken off, blank ones are left out. Anything else becomes a row with a
            problem.
        default_ids: Ids of the rows whose dict brings none, one per row.
    """
    rows: list[Row] = [row if isinstance(row, Mapping) else {} for row in dicts]
    own = [external_id(row) for row in rows]
    ids = [name if known is None else known for known, name in zip(own, default_ids, strict=True)]
    docs: list[list[str] | None] = []
    found: list[Problem | None] = []
    for row_id, row, given in zip(ids, rows, dicts, strict=True):
        problem = _problem(row_id, row, given)
        sentences = None if problem else _sentences(row["doc"])
        if sentences is not None and not sentences:
            problem = _at(row_id, "empty document", 'there is no sentence in "doc"; remove the row, or fill it in')
        docs.append(None if problem else sentences)
        found.append(problem)
    column = problems.column(found) if any(found) else problems.none(len(ids))
    return pa.table([pa.array(ids, pa.string()), pa.array(docs, SCHEMA.field("doc").type), column], schema=SCHEMA)


def _sentences(doc: str | Sequence[str]) -> list[str]:
    lines = doc.replace("\r", "\n").split("\n") if isinstance(doc, str) else doc
    return [clean(line) for line in map(str.strip, lines) if line]


def _problem(row_id: str, row: Row, given: object) -> Problem | None:
    if not isinstance(given, Mapping):
        return _at(row_id, "not a dict", f"this is a {type(given).__name__}; {_WAY_OUT}", given)
    if (earlier := given_problem(row)) is not None:
        return earlier
    if row.get("doc") is None:
        keys = ", ".join(sorted(map(str, row))) or "none"
        return _at(row_id, "missing document", f'the dict has no "doc" (keys: {keys}); {_WAY_OUT}')
    return _doc_problem(row_id, row["doc"])


def _doc_problem(row_id: str, doc: object) -> Problem | None:
    if isinstance(doc, str):
        return None
    if not isinstance(doc, list | tuple):
        return _at(row_id, "not a document", f'"doc" is a {type(doc).__name__}; {_WAY_OUT}', doc)
    for number, sentence in enumerate(doc, 1):
        if not isinstance(sentence, str):
            told = f'sentence {number} of "doc" is a {type(sentence).__name__}, not a string; {_WAY_OUT}'
            return _at(row_id, "not a document", told, sentence)
    return None


def _at(row_id: str, kind: str, message: str, value: object = None) -> Problem:
    return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id}: {message}", value=value)

"""Rows of a stream under the names that people know: file and line, counted when they are shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds
from farm_ray.data_handler.file_to_dicts.splits import Split, count_lines
from farm_ray.errors import DataProblemError
from farm_ray.storage import data_suffix, file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from farm_ray.data_handler.given_rows import RowDict

_INSIDE = re.compile(r"(.*)@(\d+):(\d+)", re.DOTALL)
_ANY_LINE_END = (".jsonl", ".txt")
"""Files in which bare carriage returns end lines, too."""


def with_lines(found: pa.Table, splits: Iterable[Split]) -> pa.Table:
    """Problems of a stream with the lines of the file in place of a split and the line in it.

    Each file is read once, up to the last split that has a problem. Where that fails the names stay.

    Args:
        found: As `quarantine.table_of` makes it.
        splits: Of the corpus.
    """
    files = {split.name or file_name(split.file): split.file for split in splits}
    rows = found.to_pylist()
    inside = [_INSIDE.fullmatch(row["id"]) for row in rows]
    starts: dict[str, set[int]] = {}
    for match in inside:
        if match and match[1] in files:
            starts.setdefault(match[1], set()).add(int(match[2]))
    before = {name: _lines_before(files[name], sorted(of_file)) for name, of_file in starts.items()}
    shown = [
        row if match is None or match[1] not in before else _shown(row, match, before[match[1]])
        for row, match in zip(rows, inside, strict=True)
    ]
    return pa.Table.from_pylist(shown, schema=found.schema)


def _lines_before(file: str, starts: list[int]) -> dict[int, int]:
    """The lines of a file before each of these places; nothing where it cannot be read."""
    line_ends = None if data_suffix(file) in _ANY_LINE_END else LineEnds.as_they_are()
    found: dict[int, int] = {}
    place = lines = 0
    try:
        for start in starts:
            lines += count_lines(Split(file, place, start), line_ends)
            found[start], place = lines, start
    except DataProblemError:
        return {}
    return found


def _shown(row: RowDict, match: re.Match[str], before: Mapping[int, int]) -> RowDict:
    if int(match[2]) not in before:
        return row
    line = before[int(match[2])] + int(match[3])
    told, name = f"{match[1]}:{line}", match[0]
    message = row["message"]
    return {
        **row,
        "id": told,
        "file": match[1],
        "line": line,
        "message": message if message is None else message.replace(name, told),
    }

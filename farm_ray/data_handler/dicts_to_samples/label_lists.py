"""Several labels in one cell: joined by commas, or a JSON list, which is how columns of lists come from files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

_OTHER_JOINTS = re.compile(r"\s*[,;|]\s*")


def comma_joined(cells: pa.Array) -> pa.Array:
    """The cells with JSON lists of labels written as labels joined by commas, string [rows]."""
    if not pc.any(pc.starts_with(cells, "[")).as_py():
        return cells
    return pa.array([None if cell is None else _comma_joined(cell) for cell in cells.to_pylist()], pa.string())


def way_out(cell: str, label_list: Sequence[str]) -> str | None:
    """How the cell should have been written, where it holds known labels in another form; else None."""
    parts = [part for part in _OTHER_JOINTS.split(cell.strip()) if part]
    if not set(parts) <= set(label_list):
        return None
    if not parts:
        return "leave the cell empty where a row has no label"
    return f'labels are joined by commas without spaces: write "{",".join(parts)}"'


def _comma_joined(cell: str) -> str:
    if not cell.startswith("["):
        return cell
    try:
        labels = json.loads(cell)
    except ValueError:
        return cell
    return ",".join(map(str, labels)) if all(isinstance(label, str | int) for label in labels) else cell

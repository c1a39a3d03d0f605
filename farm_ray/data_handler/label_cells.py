"""Several labels in one cell: names joined by commas or in a list, or a vector with a zero or one for each label.

Names come as `toxic,insult`, `["toxic", "insult"]` or `['toxic', 'insult']`, vectors as `[0, 1, 1]`, `0,1,1`, `0 1 1`,
`[0. 1. 1.]` or `[false, true, true]`. Labels may be called 0 and 1, so not every vector can be told from names by
itself. `is_vector` decides about a cell, `are_vectors` about a column:

- A cell that holds a zero or a one twice is a vector, for no row has a label twice.
- A cell whose parts are all in the label list holds names.
- Else two or more zeros and ones are a vector, and so is a single one where there is one label.
- That leaves `[0, 1]` and `[1, 0]` where the labels are called 0 and 1: there, and where no label list is given, the
  training data decide. They are vectors where all cells hold equally many zeros and ones, two or more; or where most
  cells hold such and one of these holds one twice.
"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from farm_ray.data_handler import problems

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_OTHER_JOINTS = re.compile(r"\s*[,;|]\s*")
_BIT = r"[\"']?(?:[01](?:\.0*)?|[Tt]rue|[Ff]alse)[\"']?"
_BITS = rf"{_BIT}(?:(?:\s*[,;|]\s*|\s+){_BIT})*"
_VECTOR = re.compile(rf"\s*(?:\[\s*{_BITS}\s*,?\s*\]|\(\s*{_BITS}\s*,?\s*\)|{_BITS})\s*")
_ONE_BIT = re.compile(_BIT)
_LIST = re.compile(r"\s*(?:\[.*\]|\(.*\)|\{.*\})\s*", re.DOTALL)
_LONGEST_LITERAL = 10_000


class Cell(NamedTuple):
    """The two ways to read a cell."""

    names: tuple[str, ...] | None
    """Names of labels; None where the cell is a list of something else."""
    bits: tuple[int, ...] | None
    """Zeros and ones; None where the cell holds something else."""


class Wrong(NamedTuple):
    """Why a cell cannot be read: a problem without its row."""

    kind: str
    value: str
    told: str
    """Goes on from the row's id."""


def as_cell(value: Any) -> str:
    """A label that came in a dict as it would stand in a file: lists as JSON, all else as its text."""
    if getattr(value, "ndim", 0):
        value = value.tolist()
    elif hasattr(value, "item") and not isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | tuple) else str(value)


def read_cell(text: str) -> Cell:
    """What a cell holds, read as names and as zeros and ones."""
    bits = None
    if _VECTOR.fullmatch(text):
        bits = tuple(int(bit.strip("\"'")[0] in "1Tt") for bit in _ONE_BIT.findall(text))
    names = _names(text)
    # What only spaces divide, as numpy writes it, is not named.
    return Cell(None if bits is not None and names is not None and len(names) != len(bits) else names, bits)


def is_list(text: str) -> bool:
    """Whether a cell is a list of values, or an object, and no single label."""
    cell = read_cell(text)
    if cell.bits is not None and len(cell.bits) > 1:
        return True
    return _LIST.fullmatch(text) is not None and (cell.bits is not None or _parsed(text) is not None)


def is_vector(cell: Cell, known: Collection[str], *, decided: bool | None) -> bool:
    """Whether the zeros and ones of a cell stand for the labels by their place.

    Args:
        cell: From `read_cell`.
        known: The labels.
        decided: What the training data say, where they were asked.
    """
    if cell.bits is None or decided is not None:
        return bool(decided and cell.bits is not None)
    if len(set(cell.bits)) < len(cell.bits):
        return True
    if cell.names is not None and all(name in known for name in cell.names):
        return False
    return len(cell.bits) > 1 or len(known) == 1


def is_ambiguous(label_list: Sequence[str]) -> bool:
    """Whether a cell alone cannot say if it holds names or a vector: there are two labels, called like 0 and 1."""
    return len(label_list) == 2 and all(map(_ONE_BIT.fullmatch, label_list))  # noqa: PLR2004


class ColumnForm:
    """Counts over the cells of a column what they can be."""

    def __init__(self) -> None:
        self.lengths: dict[int, int] = {}
        """Number of zeros and ones -> cells, of those with two or more."""
        self.certain = 0
        """Cells that hold a zero or a one twice."""
        self.others = 0
        """Filled cells that are no vector of two or more."""

    def add(self, cell: Cell, count: int) -> None:
        """Takes in `count` cells like this one."""
        if cell.bits is not None and len(cell.bits) > 1:
            self.lengths[len(cell.bits)] = self.lengths.get(len(cell.bits), 0) + count
            self.certain += count if len(set(cell.bits)) < len(cell.bits) else 0
        elif cell.names != ():
            self.others += count

    def are_vectors(self) -> bool:
        """Whether the column holds vectors of zeros and ones."""
        if len(self.lengths) == 1 and not self.others:
            return True
        return self.certain > 0 and sum(self.lengths.values()) > self.others

    def length(self) -> int:
        """Numbers in most of the vectors."""
        return max(self.lengths, key=lambda length: (self.lengths[length], length))


def places_of(text: str, places: Mapping[str, int], *, decided: bool | None) -> list[int] | Wrong:
    """The places in the label list of the labels in a cell, or why it cannot be read.

    Args:
        text: The cell.
        places: Label -> its place, in order.
        decided: What the training data say: whether cells hold zeros and ones; None where they were not asked.
    """
    cell = read_cell(text)
    if is_vector(cell, places, decided=decided):
        return _ones(text, cell.bits or (), len(places))
    told = f'"{problems.shorten(text)}"'
    if decided:
        needed = f"is no vector of {len(places)} zeros and ones, as the training data hold them"
        return Wrong("bad label", text, f"{told} {needed}; correct the row")
    if cell.names is None:
        hint = "write their names, or a 0 or 1 for each label of label_list"
        if decided is False and cell.bits is not None:
            hint = "the training data hold names, so write the names"
        return Wrong("bad label", text, f"{told} is no list of labels; {hint}")
    if cell.bits is not None and len(set(cell.names)) < len(cell.names):
        return Wrong("bad label", text, f"{told} names a label twice, and other rows hold names; correct the row")
    unknown = next((name for name in cell.names if name not in places), None)
    return [places[name] for name in cell.names] if unknown is None else Wrong("unknown label", unknown, "")


def way_out(cell: str, label_list: Iterable[str]) -> str | None:
    """How the cell should have been written, where it holds known labels in another form; else None."""
    parts = [part for part in _OTHER_JOINTS.split(cell.strip()) if part]
    if not set(parts) <= set(label_list):
        return None
    if not parts:
        return "leave the cell empty where a row has no label"
    return f'labels are joined by commas without spaces: write "{",".join(parts)}"'


def _ones(text: str, bits: Sequence[int], labels: int) -> list[int] | Wrong:
    if len(bits) == labels:
        return [place for place, bit in enumerate(bits) if bit]
    told = f'"{problems.shorten(text)}" holds {len(bits)} zeros and ones, and there are {labels} labels'
    return Wrong("bad label", text, f"{told}; give one for each label")


def _names(text: str) -> tuple[str, ...] | None:
    values = _parsed(text) if _LIST.fullmatch(text) else None
    if values is None:
        return tuple(part for part in text.split(",") if part)
    if not isinstance(values, list | tuple):
        return None
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        return None
    return tuple(str(value) for value in values if value != "")


def _parsed(text: str) -> object:
    """The list (or object) that a cell is, as JSON or Python writes it; None where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Python's parser must not be given what nests deeply.
    if len(text) > _LONGEST_LITERAL or sum(map(text.count, "[({")) > 1:
        return None
    try:
        values = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return values if isinstance(values, list | tuple | set | dict) else None

"""Label lists taken from the training data: which labels a column holds, and when it holds something else.

Rather than guess, these refuse: labels that differ only in case or spaces, several labels in a cell of a task with one,
missing values that were written as text, and columns that hold texts or ids. A label list of the user's is taken as it
is.
"""

from __future__ import annotations

import abc
import logging
import math
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.problems import shorten
from farm_ray.errors import DataProblemError
from farm_ray.tasks.label_problems import shown_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from farm_ray.plain import PlainDict
    from farm_ray.tasks.task import Task

logger = logging.getLogger(__name__)

_MOST = 1000
"""Labels from which on a column holds no classes."""
_MANY = 50
"""Labels from which on a warning is given."""
_FEW_ROWS = 20
"""With fewer rows each may have its own label."""
_NEARLY_ALL = 0.8
_SHOWN = 5
_JOINTS = re.compile(r"\s*[,;|]\s*")
_WRITTEN_MISSING = ("nan", "NaN", "<NA>", "NaT")
_MAYBE_MISSING = ("None", "null", "NULL")
_NOT_SEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufe0f\ufeff]")
"""Soft hyphens, marks of direction, joints of words, and spaces without width: no eye finds them in a label."""
_OTHER_COLUMN = "name another label_column_name=..., give label_list=[...], or take a regression for numbers"


class LearnedFields(Protocol):
    """Gathers from the training data what a task must know of them."""

    def add(self, labels: pa.ChunkedArray, ids: pa.ChunkedArray) -> None:
        """Takes in the labels of valid rows, and these rows' ids."""

    def fields(self) -> PlainDict:
        """The fields of the task that the training data give.

        Raises:
            DataProblemError: When the column does not hold labels, or ones that cannot be told apart for sure.
        """


class LearnedLabels(abc.ABC):
    """Labels of a column with their rows: how many there are, and the first one."""

    def __init__(self, name: str, task: Task) -> None:
        self.name = name
        self.column = task.column
        self.task = task
        self.counts: dict[str, int] = {}
        self.first: dict[str, str] = {}
        self.rows = 0

    @abc.abstractmethod
    def add(self, labels: pa.ChunkedArray, ids: pa.ChunkedArray) -> None:
        """Takes in the labels of valid rows, and these rows' ids."""

    @abc.abstractmethod
    def fields(self) -> PlainDict:
        """The fields of the task that the training data give.

        Raises:
            DataProblemError: When the column does not hold labels, or ones that cannot be told apart for sure.
        """

    def count(self, labels: Iterable[str], rows: int, row_id: str) -> None:
        """Takes in labels that stand together in `rows` rows, the first of which is `row_id`."""
        for label in labels:
            self.first.setdefault(label, row_id)
            self.counts[label] = self.counts.get(label, 0) + rows
        if len(self.counts) > _MOST:
            raise self.refusal(
                f"holds more than {_MOST} labels (such as {self.some(self.counts)}); {_OTHER_COLUMN}",
                code="too-many-labels",
            )

    def some(self, labels: Iterable[str]) -> str:
        """A few labels, and in which rows they stand."""
        chosen = sorted(labels)[:2]
        return ", ".join(f'"{shorten(label)}" in {self.first[label]}' for label in chosen)

    def refusal(self, told: str, *, code: str, **facts: object) -> DataProblemError:
        """Says what the column holds."""
        return DataProblemError(
            f'task {self.name}: no label_list is given, and the column "{self.column}" of the training data {told}',
            code=code,
            column=self.column,
            task=self.name,
            **facts,
        )

    def checked(self) -> list[str]:
        """The labels, sorted, when they are plausible; they are logged."""
        labels = sorted(self.counts, key=_order)
        if not labels:
            raise self.refusal(
                "holds no labels; name the right one with label_column_name=...", code="column-without-labels"
            )
        missing = [label for label in labels if label in _WRITTEN_MISSING]
        if missing:
            raise self.refusal(
                f"holds {self.some(missing)}, as missing values are written; remove such rows, "
                "or give label_list=[...]",
                code="missing-value-as-label",
                value=missing[0],
            )
        self._refuse_look_alikes(labels)
        self._refuse_texts(labels)
        return labels

    def told(self, labels: list[str], note: str = "") -> None:
        """Logs the labels that were found, and what is odd about them."""
        logger.info("%s: labels (%d): %s%s", self.name, len(labels), shown_labels(labels)[1:-1], note)
        doubts = []
        if len(labels) > _MANY:
            doubts.append(f"{len(labels)} labels are many: is it the right column?")
        doubts += [f'"{label}" may stand for a missing label' for label in labels if label in _MAYBE_MISSING]
        for doubt in doubts:
            logger.warning('task %s, column "%s": %s', self.name, self.column, doubt)

    def warn_of_single_rows(self) -> None:
        """A label with one row is perhaps a slip."""
        single = [label for label, count in self.counts.items() if count == 1]
        if single and self.rows >= _FEW_ROWS:
            logger.warning(
                'task %s, column "%s": these labels have a single row: %s%s',
                self.name,
                self.column,
                ", ".join(f'"{shorten(label)}" ({self.first[label]})' for label in single[:_SHOWN]),
                ", ..." if len(single) > _SHOWN else "",
            )

    def _refuse_look_alikes(self, labels: list[str]) -> None:
        alike: dict[object, str] = {}
        for label in labels:
            other = alike.setdefault(_essence(label), label)
            if other != label:
                raise self.refusal(
                    f"holds {self.some([other])} and {self.some([label])}, which look like one label; write them "
                    "alike, or give label_list=[...] if they are two",
                    code="labels-look-alike",
                    value=[other, label],
                )

    def _refuse_texts(self, labels: list[str]) -> None:
        if self.rows >= _FEW_ROWS and len(labels) > _NEARLY_ALL * self.rows:
            raise self.refusal(
                f"holds {len(labels)} labels in {self.rows} rows (such as {self.some(labels)}); {_OTHER_COLUMN}",
                code="too-many-labels",
            )


def distinct(values: pa.ChunkedArray | pa.Array, ids: pa.ChunkedArray | pa.Array) -> Iterator[tuple[str, int, str]]:
    """Each value that is not null, how often it occurs, and the id of its first row."""
    column = one_array(values) if isinstance(values, pa.ChunkedArray) else values
    names = one_array(ids) if isinstance(ids, pa.ChunkedArray) else ids
    there = column.is_valid()
    encoded = column.filter(there).dictionary_encode()
    rows = names.filter(there)
    places = encoded.indices.to_numpy(zero_copy_only=False)
    numbers, first, counts = np.unique(places, return_index=True, return_counts=True)
    for number, row, count in zip(numbers.tolist(), first.tolist(), counts.tolist(), strict=True):
        yield encoded.dictionary[number].as_py(), count, rows[row].as_py()


def compound(labels: Iterable[str], joints: re.Pattern[str]) -> list[str]:
    """Labels whose parts are parts of other labels, too: they are several."""
    parts = {label: [part for part in joints.split(label) if part] for label in labels}
    in_labels: dict[str, int] = {}
    for one in parts.values():
        for part in set(one):
            in_labels[part] = in_labels.get(part, 0) + 1
    return [label for label, one in parts.items() if len(one) > 1 and all(in_labels[part] > 1 for part in one)]


def _order(label: str) -> tuple[float, str]:
    """Numbers by size, other labels by their text."""
    return (_number(label), label)


def _essence(label: str) -> object:
    """What is equal for labels that nobody would tell apart."""
    seen = unicodedata.normalize("NFC", _NOT_SEEN.sub("", label))
    try:
        # Floats would make one number of long ids.
        number = Decimal("x" if "_" in seen else seen)
    except InvalidOperation:
        number = Decimal("nan")
    return number if number.is_finite() else " ".join(seen.casefold().split())


def _number(label: str) -> float:
    """The number that a label is, infinity where it is none."""
    try:
        number = float("x" if "_" in label else label)
    except ValueError:
        return math.inf
    return number if math.isfinite(number) else math.inf

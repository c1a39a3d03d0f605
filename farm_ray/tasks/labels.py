"""What the labels of a kind of task are: from a cell of a file to the numbers that a head learns.

u units, k labels of a unit.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.data_handler.clean_text import clean
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.label_cells import as_cell
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.tasks.label_problems import labels_row_by_row, shown_labels, unknown_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo.folds import Strata
    from farm_ray.data_handler.data_silo.pooling import Units
    from farm_ray.data_handler.given_rows import Row
    from farm_ray.data_handler.problems import Problem
    from farm_ray.tasks.learned_labels import LearnedFields
    from farm_ray.tasks.task import Task

Counts = npt.NDArray[np.int64]
"""Occurrences of each label, [classes]."""

_MOST_BINS = 10


class Labels(ABC):
    """The labels of one kind of task. A subclass says at least `arrow_type` and `ids`.

    class Count(Labels):
        def arrow_type(self, task):
            return pa.list_(pa.float32(), 1)

        def ids(self, task, label):
            return [float(label)]
    """

    named: ClassVar[bool] = False
    """The label list holds names, whose places are ids: they can be weighed, and taken from the training data."""
    classes: ClassVar[bool] = False
    """Numbers in the label column are ids of labels or zeros and ones for them, which can be counted."""
    of_words: ClassVar[bool] = False
    """A row has a label for each of its words."""
    not_in_data: ClassVar[tuple[str, ...]] = ()
    """Labels that need no training rows."""
    cells: ClassVar[pa.DataType] = pa.string()
    """Arrow type of a row's label in tables of dicts."""

    @abstractmethod
    def arrow_type(self, task: Task) -> pa.DataType:
        """The Arrow type of the label column in samples and features: a list per row."""

    @abstractmethod
    def ids(self, task: Task, label: object) -> list[Any]:
        """The label of one row as numbers.

        Raises:
            DataProblemError: When it cannot be read; becomes the row's problem.
        """

    def label_list(self, name: str, label_list: Any) -> list[Any]:  # noqa: ARG002 - for kinds whose labels have names
        """The label list of the task `name`, checked; empty for None.

        Raises:
            ConfigError: On labels that are invalid.
        """
        return list(label_list or ())

    def lacks_labels(self, task: Task) -> bool:
        """Whether the label list must still be taken from the training data."""
        return self.named and not task.label_list

    def learned(self, name: str, task: Task) -> LearnedFields | None:  # noqa: ARG002 - for kinds that learn
        """What gathers the fields that the task lacks from the training data; None where it lacks none."""
        return None

    def cell(self, row: Row, task: Task, row_id: str) -> tuple[object, Problem | None]:  # noqa: ARG002
        """The label of a dict as a value of type `cells`, None where there is none; and what is wrong with it."""
        label = value_of(row, task)
        if isinstance(label, list | tuple) and len(label) == 1:
            label = label[0]
        return (None if label is None else clean(as_cell(label))), None

    def convert(self, dicts: pa.Table, task: Task) -> tuple[pa.Array, dict[int, Problem]]:
        """The labels of a table of dicts, of type `arrow_type` [rows], and problems by position.

        Raises:
            ConfigError: When the label list is not known.
        """
        given = one_array(dicts.column(task.label_name))
        return labels_row_by_row(dicts, task, lambda row: self.ids(task, given[row].as_py()))

    def given(self, array: npt.NDArray[Any], task: Task) -> npt.NDArray[Any]:
        """Labels that a user's own method made of one row, [k], checked.

        Raises:
            DataProblemError: When they are no ids of labels.
        """
        name, labels = task.label_tensor_name, task.label_list
        if not np.equal(array, np.round(array)).all():
            raise DataProblemError(
                f'the labels "{name}" hold {array.tolist()}; give ids of labels, whole numbers',
                code="not-label-ids",
                column=name,
                value=array.tolist(),
            )
        highest = self.highest_id(task)
        if labels and not ((array >= 0) & (array <= highest)).all():
            ids = f"ids go from 0 to {highest} for label_list {shown_labels(labels)}"
            raise DataProblemError(
                f'the labels "{name}" hold {array.tolist()}; {ids}',
                code="not-label-ids",
                column=name,
                value=array.tolist(),
            )
        return array.astype(np.int64)

    def highest_id(self, task: Task) -> int:
        """The largest number in a label column."""
        return len(task.label_list) - 1

    def trial(self, label_list: Sequence[Any]) -> list[Any]:
        """Right predictions as a head gives them, one per label, to try a metric on; none while there are no labels."""
        return list(label_list)

    def outputs(self, task: Task) -> int:
        """How many numbers a head gives for an answer."""
        return len(task.label_list)

    def counts(self, rows: FeatureSet, task: Task) -> Counts:
        """How often each label occurs, in the order of the label list, [classes]. Ids outside of it are none."""
        column = rows.column(task.label_tensor_name)
        if column.shape[-1] > 1:
            counts: Counts = column.sum(axis=0).astype(np.int64)
            return counts
        return count_ids(column.ravel(), len(task.label_list))

    def shared_by_all(self, train: FeatureSet, task: Task) -> tuple[str, str] | None:  # noqa: ARG002 - where it matters
        """What all training rows share, and what is needed; None where rows differ."""
        return None

    def strata(self, units: Units, task: Task, *, n_parts: int) -> Strata:
        """The labels of each unit as whole numbers, [u, k]; of fractions the number of the quantile bin.

        Args:
            units: What will be dealt.
            task: Whose labels.
            n_parts: How many parts the units will be dealt into.
        """
        values = labels_of_units(units, task)
        if values.dtype.kind == "f":
            return np.stack([_bins(column, n_parts) for column in values.T], axis=1)
        return values.astype(np.int64)

    def units_per_label(self, units: Units, task: Task) -> dict[str, int]:  # noqa: ARG002 - for labels with names
        """Units that have a label, by its name; none for labels without names."""
        return {}


class NamedLabels(Labels):
    """Labels that stand in a label list."""

    named: ClassVar[bool] = True
    classes: ClassVar[bool] = True

    def known(self, task: Task) -> tuple[str, ...]:
        """The label list.

        Raises:
            ConfigError: When it is not known yet.
        """
        if not task.label_list:
            raise ConfigError(unknown_labels(task), code="labels-not-known", column=task.column)
        return task.label_list


def value_of(row: Row, task: Task) -> object:
    """The label in a dict, under the task's label name or its column; None where there is none, or NaN."""
    label = row.get(task.label_name)
    if label is None and task.label_column_name is not None:
        label = row.get(task.label_column_name)
    return None if isinstance(label, float) and math.isnan(label) else label


def count_ids(ids: npt.NDArray[np.integer], n_classes: int) -> Counts:
    """How often each id occurs, [classes]; those outside of 0 to n_classes are left out."""
    return np.bincount(ids[(ids >= 0) & (ids < n_classes)].astype(np.int64), minlength=n_classes)


def labels_of_units(units: Units, task: Task) -> npt.NDArray[Any]:
    """The labels of each unit as they are in the features, [u, k]."""
    return units.rows.subset(units.first_rows).column(task.label_tensor_name).reshape(len(units), -1)


def _bins(values: npt.NDArray[Any], n_parts: int) -> npt.NDArray[np.int64]:
    bins = max(1, min(_MOST_BINS, len(values) // n_parts))
    borders = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    return np.searchsorted(borders, values, side="right")

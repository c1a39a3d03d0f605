"""One label per row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.label_cells import is_list
from farm_ray.errors import DataProblemError
from farm_ray.overrides import is_own
from farm_ray.tasks.answers import AnswerForm, class_probabilities, probabilities, stacked
from farm_ray.tasks.label_list import checked_names
from farm_ray.tasks.label_problems import hint_for, missing_label, problems_where, shown_labels, unknown_label
from farm_ray.tasks.labels import Labels, NamedLabels, labels_of_units
from farm_ray.tasks.learned_labels import LearnedLabels, compound, distinct
from farm_ray.tasks.spec import TaskSpec, TransformersModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo.pooling import Units
    from farm_ray.data_handler.problems import Problem
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.plain import PlainDict
    from farm_ray.tasks.answers import RowLogits
    from farm_ray.tasks.task import Task

_JOINTS = re.compile(r"\s*[,;|]\s*")
_FEWEST = 2


class OneLabel(NamedLabels):
    """A label per row, one of the label list."""

    def arrow_type(self, task: Task) -> pa.DataType:  # noqa: ARG002 - one id, whatever the task
        """The label's id: list<int64>[1]."""
        return pa.list_(pa.int64(), 1)

    def label_list(self, name: str, label_list: object) -> list[str]:
        """As `Labels.label_list`: two labels or more."""
        return [] if label_list is None else checked_names(name, label_list, fewest=_FEWEST)

    def learned(self, name: str, task: Task) -> LearnedLabels | None:
        """All labels that occur, sorted."""
        return None if task.label_list else _LearnedLabels(name, task)

    def ids(self, task: Task, label: object) -> list[int]:
        """The place of the label in the label list."""
        known = self.known(task)
        if str(label) not in known:
            raise DataProblemError(
                f'label "{label}" is not in label_list {shown_labels(known)}', code="label-not-in-list", value=label
            )
        return [known.index(str(label))]

    def convert(self, dicts: pa.Table, task: Task) -> tuple[pa.Array, dict[int, Problem]]:
        """As `Labels.convert`."""
        given = one_array(dicts.column(task.label_name))
        ids = pc.index_in(given, value_set=pa.array(self.known(task), pa.string()))
        missing = pc.fill_null(pc.equal(given, ""), fill_value=True)
        unknown = pc.and_not(pc.is_null(ids), missing)
        # An empty label can be one of the list: then it is not missing.
        missing = pc.and_(missing, pc.is_null(ids))
        found = problems_where(dicts, missing, lambda row_id, _: missing_label(row_id, task))
        found |= problems_where(
            dicts, unknown, lambda row_id, label: unknown_label(row_id, label, task, _hint(label, task)), given
        )
        values = pc.cast(pc.fill_null(ids, 0), pa.int64())
        return pa.FixedSizeListArray.from_arrays(values, type=task.label_type()), found

    def shared_by_all(self, train: FeatureSet, task: Task) -> tuple[str, str] | None:
        """As `Labels.shared_by_all`."""
        seen = [str(task.label_list[place]) for place in np.flatnonzero(self.counts(train, task))]
        what = f'the same label "{", ".join(seen)}"'
        return (what, "a classifier needs at least two classes") if len(seen) < _FEWEST else None

    def units_per_label(self, units: Units, task: Task) -> dict[str, int]:
        """As `Labels.units_per_label`."""
        ids = labels_of_units(units, task).ravel()
        return dict(zip(task.label_list, np.bincount(ids, minlength=len(task.label_list)).tolist(), strict=True))


class OwnLabels(OneLabel):
    """Labels that a processor of one's own converts in some way; nothing is known of them but their list."""

    named = False

    def label_list(self, name: str, label_list: object) -> list[str]:
        """As `OneLabel.label_list`; there must be one."""
        return checked_names(name, label_list, fewest=_FEWEST)

    def learned(self, name: str, task: Task) -> None:  # noqa: ARG002 - as `Labels`
        """Nothing."""
        return

    convert = Labels.convert
    shared_by_all = Labels.shared_by_all
    units_per_label = Labels.units_per_label


class _LearnedLabels(LearnedLabels):
    """The labels of a task with one per row."""

    def add(self, labels: pa.ChunkedArray, ids: pa.ChunkedArray) -> None:
        """Takes in a column of strings."""
        for label, rows, row_id in distinct(labels, ids):
            self.rows += rows
            if label:
                self.count([label], rows, row_id)

    def fields(self) -> PlainDict:
        """The label list."""
        objects = [label for label in self.counts if label.startswith("{") and is_list(label)]
        if objects:
            raise self.refusal(f"holds {self.some(objects)}, which is no label; write a name", code="label-not-a-name")
        several = [label for label in self.counts if is_list(label)] or compound(self.counts, _JOINTS)
        if several:
            raise self.refusal(
                f"holds several labels in a row ({self.some(several)}); give multilabel=True, "
                'or add_task(task_type="multilabel_classification"), or label_list=[...] if these are names',
                code="several-labels-in-row",
                value=several[0],
            )
        labels = self.checked()
        if len(labels) == 1:
            raise self.refusal(
                f'has only the label "{labels[0]}"; a classifier needs at least two classes',
                code="single-label",
                value=labels[0],
            )
        self.told(labels)
        self.warn_of_single_rows()
        return {"label_list": labels}


def _hint(label: str, task: Task) -> str:
    if is_list(label):
        return "for rows with several labels give multilabel=True"
    return hint_for(label, task.label_list)


def _columns(
    head: PredictionHead, answers: RowLogits, _: Sequence[str], return_class_probs: bool
) -> dict[str, pa.Array]:
    """The columns label and probability, and maybe class_probabilities, a number per label name."""
    probs_nC, labels = probabilities(head, answers), head.labels()
    if is_own(type(head), "logits_to_preds"):
        best = pa.array(head.logits_to_preds(stacked(head, answers)), pa.string())
    else:
        best = pa.array(labels, pa.string()).take(pa.array(probs_nC.argmax(axis=1)))
    columns = {"label": best, "probability": pa.array(probs_nC.max(axis=1, initial=0), pa.float32())}
    return columns | ({"class_probabilities": class_probabilities(probs_nC, labels)} if return_class_probs else {})


CLASSIFICATION = TaskSpec(
    name="classification",
    farm_name="text_classification",
    processor="TextClassificationProcessor",
    head="TextClassificationHead",
    head_type="text_classification",
    metric="acc",
    labels=OneLabel(),
    answers=AnswerForm(
        keys=("start", "end", "context", "label", "probability"), columns=_columns, made_by_format_rows=False
    ),
    transformers=TransformersModel(endings=("SequenceClassification",), problem_type="single_label_classification"),
)

OWN_LABELS = TaskSpec(
    name="",
    farm_name="",
    processor="Processor",
    head="TextClassificationHead",
    head_type="",
    metric="acc",
    labels=OwnLabels(),
)
"""What a task is of which nobody says the kind: a processor of one's own converts its labels."""

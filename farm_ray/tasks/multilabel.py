"""Any number of labels per row."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.clean_text import clean
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.label_cells import ColumnForm, Wrong, as_cell, is_ambiguous, places_of, read_cell, way_out
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.tasks.answers import AnswerForm, class_probabilities, probabilities, stacked
from farm_ray.tasks.label_list import checked_names
from farm_ray.tasks.label_problems import STAGE, hint_for, missing_label, problems_where, shown_labels, unknown_label
from farm_ray.tasks.labels import NamedLabels, labels_of_units, value_of
from farm_ray.tasks.learned_labels import LearnedLabels, compound, distinct
from farm_ray.tasks.spec import TaskSpec, TransformersModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo.pooling import Units
    from farm_ray.data_handler.given_rows import Row
    from farm_ray.data_handler.problems import Problem
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.plain import PlainDict
    from farm_ray.tasks.answers import RowLogits
    from farm_ray.tasks.labels import Counts
    from farm_ray.tasks.task import Task

_JOINTS = re.compile(r"\s*[;|]\s*")


class SeveralLabels(NamedLabels):
    """A 0 or 1 for each label of the label list."""

    def arrow_type(self, task: Task) -> pa.DataType:
        """Zeros and ones: list<int64>[labels]."""
        return pa.list_(pa.int64(), len(task.label_list))

    def label_list(self, name: str, label_list: object) -> list[str]:
        """As `Labels.label_list`: one label or more, without commas."""
        labels = [] if label_list is None else checked_names(name, label_list, fewest=1)
        with_comma = [label for label in labels if "," in label or not label]
        if with_comma:
            raise ConfigError(
                f'label {with_comma[0]!r} of task "{name}": with multilabel=True labels are joined by commas, so a '
                "label cannot be empty or hold a comma; rename it",
                code="unusable-label",
                task=name,
                value=with_comma[0],
            )
        return labels

    def learned(self, name: str, task: Task) -> LearnedLabels | None:
        """All labels that occur, sorted, and whether cells hold zeros and ones for them."""
        if not task.label_list or (is_ambiguous(task.label_list) and task.multi_hot is None):
            return _LearnedLabels(name, task)
        return None

    def cell(self, row: Row, task: Task, row_id: str) -> tuple[str | None, None]:  # noqa: ARG002
        """As `Labels.cell`; a list is one of labels."""
        label = value_of(row, task)
        return (None if label is None else clean(as_cell(label))), None

    def ids(self, task: Task, label: object) -> list[int]:
        """A 0 or 1 for each label."""
        known = self.known(task)
        places = places_of(as_cell(label), _places(known), decided=task.multi_hot)
        if not isinstance(places, Wrong):
            return [int(place in places) for place in range(len(known))]
        told = places.told or f'label "{places.value}" is not in label_list {shown_labels(known)}'
        raise DataProblemError(told, code="label-not-in-list", value=places.value)

    def convert(self, dicts: pa.Table, task: Task) -> tuple[pa.Array, dict[int, Problem]]:
        """As `Labels.convert`."""
        known = _places(self.known(task))
        given = one_array(dicts.column(task.label_name))
        cells = given.dictionary_encode()
        hot = np.zeros((len(cells.dictionary) + 1, len(known)), np.int64)
        wrong: dict[int, Wrong] = {}
        for number, cell in enumerate(cells.dictionary.to_pylist()):
            places = places_of(cell, known, decided=task.multi_hot)
            if isinstance(places, Wrong):
                wrong[number] = places
            else:
                hot[number, places] = 1
        # The last row stands for null.
        rows = pc.fill_null(cells.indices, len(cells.dictionary)).to_numpy(zero_copy_only=False)
        found = problems_where(dicts, pc.is_null(given), lambda row_id, _: missing_label(row_id, task))
        unfit = pa.array(np.isin(rows, list(wrong)))
        tell = partial(_wrong_cell, wrong=wrong, cells=cells.dictionary, task=task)
        found |= problems_where(dicts, unfit, tell, pa.array(rows))
        return pa.FixedSizeListArray.from_arrays(pa.array(hot[rows].ravel()), type=task.label_type()), found

    def highest_id(self, task: Task) -> int:  # noqa: ARG002 - zeros and ones, whatever the task
        """1: a label applies."""
        return 1

    def trial(self, label_list: Sequence[object]) -> list[list[int]]:
        """As `Labels.trial`: rows with one label each."""
        return [[int(one == other) for other in label_list] for one in label_list]

    def counts(self, rows: FeatureSet, task: Task) -> Counts:
        """As `Labels.counts`: every label that applies counts."""
        counts: Counts = rows.column(task.label_tensor_name).sum(axis=0).astype(np.int64)
        return counts

    def shared_by_all(self, train: FeatureSet, task: Task) -> tuple[str, str] | None:
        """As `Labels.shared_by_all`."""
        counts = self.counts(train, task)
        seen = [str(task.label_list[place]) for place in np.flatnonzero(counts)]
        what = f'the same labels "{",".join(seen)}"' if seen else "no label"
        constant = set(counts.tolist()) <= {0, len(train)}
        return (what, "a classifier needs rows that differ") if constant else None

    def units_per_label(self, units: Units, task: Task) -> dict[str, int]:
        """As `Labels.units_per_label`."""
        return dict(zip(task.label_list, labels_of_units(units, task).sum(axis=0).tolist(), strict=True))


class _LearnedLabels(LearnedLabels):
    """The labels of a task with any number per row, and whether cells hold zeros and ones for them."""

    def __init__(self, name: str, task: Task) -> None:
        super().__init__(name, task)
        self._form = ColumnForm()
        self._unreadable: dict[str, str] = {}

    def add(self, labels: pa.ChunkedArray, ids: pa.ChunkedArray) -> None:
        """Takes in a column of cells."""
        for text, rows, row_id in distinct(labels, ids):
            cell = read_cell(text)
            self.rows += rows
            self._form.add(cell, rows)
            if cell.bits is None and (cell.names is None or (cell.names[:1] and cell.names[0].startswith("["))):
                self._unreadable.setdefault(text, row_id)
            self.count(dict.fromkeys(cell.names or ()), rows, row_id)

    def fields(self) -> PlainDict:
        """The label list where none is given, and `multi_hot`."""
        vectors = self._form.are_vectors()
        if self.task.label_list:
            return {"multi_hot": vectors}
        if vectors:
            labels = [str(place) for place in range(self._form.length())]
            self.told(labels, " (zeros and ones by place; label_list names them)")
            return {"label_list": labels, "multi_hot": True}
        for text, row_id in self._unreadable.items():
            raise self.refusal(
                f'holds "{problems.shorten(text)}" in {row_id}, which is no list of labels; write their names',
                code="label-not-a-name",
                value=text,
                row=row_id,
            )
        if joined := compound(self.counts, _JOINTS):
            raise self.refusal(
                f"holds {self.some(joined)}; join several labels by commas, "
                "or give label_list=[...] if these are names",
                code="labels-joined-otherwise",
            )
        labels = self.checked()
        with_comma = [label for label in labels if "," in label]
        if with_comma:
            raise self.refusal(
                f"holds {self.some(with_comma)}; commas stand between labels, so rename it",
                code="comma-in-label",
                value=with_comma[0],
            )
        self.told(labels)
        self.warn_of_single_rows()
        return {"label_list": labels, "multi_hot": False}


def _places(labels: Sequence[str]) -> dict[str, int]:
    return {label: place for place, label in enumerate(labels)}


def _wrong_cell(row_id: str, number: int, *, wrong: Mapping[int, Wrong], cells: pa.Array, task: Task) -> Problem:
    kind, value, told = wrong[number]
    if told:
        return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id}: {told}", value=value)
    hint = way_out(cells[number].as_py(), task.label_list) or hint_for(value, task.label_list)
    return unknown_label(row_id, value, task, hint)


def _columns(
    head: PredictionHead, answers: RowLogits, _: Sequence[str], return_class_probs: bool
) -> dict[str, pa.Array]:
    """The columns labels and probability, lists of equal length, and maybe class_probabilities."""
    probs_nC, labels = probabilities(head, answers), head.labels()
    chosen_nC = _chosen(head, answers)
    offsets = pa.array(np.cumsum([0, *chosen_nC.sum(axis=1)]), pa.int32())
    names = pa.array(labels, pa.string()).take(pa.array(np.nonzero(chosen_nC)[1]))
    columns = {
        "labels": pa.ListArray.from_arrays(offsets, names),
        "probability": pa.ListArray.from_arrays(offsets, pa.array(probs_nC[chosen_nC], pa.float32())),
    }
    return columns | ({"class_probabilities": class_probabilities(probs_nC, labels)} if return_class_probs else {})


def _label_lists(head: PredictionHead, answers: RowLogits) -> list[PlainDict]:
    labels = np.array(head.labels(), object)
    return [{"labels": labels[chosen_C].tolist()} for chosen_C in _chosen(head, answers)]


def _chosen(head: PredictionHead, answers: RowLogits) -> npt.NDArray[np.bool_]:
    """True for each label that is predicted, [n, C]."""
    return np.array(head.logits_to_preds(stacked(head, answers)), np.bool_).reshape(len(answers), head.num_labels)


MULTILABEL_CLASSIFICATION = TaskSpec(
    name="multilabel_classification",
    farm_name="multilabel_text_classification",
    processor="TextClassificationProcessor",
    predicted_as=("text_classification", "multilabel_text_classification"),
    task_name="text_classification",
    head="MultiLabelTextClassificationHead",
    head_type="multilabel_text_classification",
    metric="acc",
    labels=SeveralLabels(),
    answers=AnswerForm(
        keys=("start", "end", "context", "label", "probability", "labels"),
        columns=_columns,
        more=_label_lists,
        made_by_format_rows=False,
    ),
    transformers=TransformersModel(endings=("SequenceClassification",), problem_type="multi_label_classification"),
)

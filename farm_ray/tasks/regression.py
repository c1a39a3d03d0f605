"""One number per row."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.scaling import Numbers, measure, read_number, read_numbers, scaling_of, why_not
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.tasks.answers import AnswerForm
from farm_ray.tasks.label_problems import STAGE, missing_label, problems_where
from farm_ray.tasks.labels import Labels
from farm_ray.tasks.spec import TaskSpec, TransformersModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.problems import Problem
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.plain import PlainDict
    from farm_ray.tasks.answers import RowLogits
    from farm_ray.tasks.task import Task

_MEAN_AND_SCALE = 2


class OneNumber(Labels):
    """A number, scaled for the training; mean and scale stand in the place of the label list."""

    def arrow_type(self, task: Task) -> pa.DataType:  # noqa: ARG002 - one number, whatever the task
        """The scaled number: list<float32>[1]."""
        return pa.list_(pa.float32(), 1)

    def label_list(self, name: str, label_list: Any) -> list[float]:
        """Mean and scale, or nothing where they are to be measured."""
        given = [value for value in label_list or [] if value is not None]
        numbers = [float(value) for value in given if isinstance(value, Real) and math.isfinite(value)]
        if not given or (len(numbers) == len(given) == _MEAN_AND_SCALE and numbers[1] > 0):
            return numbers
        raise ConfigError(
            f'label_list of the regression "{name}" is {label_list!r}: it holds the mean and the scale (above 0) of '
            "its labels, or nothing where they are to be measured on the training data",
            code="wrong-scaling",
            task=name,
            value=label_list,
        )

    def learned(self, name: str, task: Task) -> _LearnedScaling | None:  # noqa: ARG002 - as `Labels`
        """Mean and scale of the finite numbers; mean 0 and scale 1 without any."""
        return None if task.label_list else _LearnedScaling()

    def ids(self, task: Task, label: object) -> list[float]:
        """The scaled number."""
        number = read_number(str(label))
        if not math.isfinite(number):
            raise DataProblemError(f'the label "{label}" {why_not(str(label))}', code="label-not-a-number", value=label)
        return [scaling_of(task).apply(number)]

    def convert(self, dicts: pa.Table, task: Task) -> tuple[pa.Array, dict[int, Problem]]:
        """As `Labels.convert`."""
        given = one_array(dicts.column(task.label_name))
        missing = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(given), ""), fill_value=True)
        with np.errstate(over="ignore"):
            scaled = scaling_of(task).apply(read_numbers(given.to_pylist())).astype(np.float32)
        finite = np.isfinite(scaled)
        found = problems_where(dicts, missing, lambda row_id, _: missing_label(row_id, task))
        unfit = pc.and_not(pa.array(~finite), missing)
        found |= problems_where(dicts, unfit, lambda row_id, label: _no_number(row_id, label, task), given)
        values = pa.array(np.where(finite, scaled, np.float32(0)))
        return pa.FixedSizeListArray.from_arrays(values, type=task.label_type()), found

    def given(self, array: npt.NDArray[np.generic], task: Task) -> npt.NDArray[np.generic]:  # noqa: ARG002 - any number
        """As `Labels.given`: any number."""
        return array.astype(np.float32)

    def trial(self, label_list: Sequence[object]) -> list[float]:  # noqa: ARG002 - there are no names
        """As `Labels.trial`: some numbers."""
        return [0.0, 0.5, 2.0]

    def outputs(self, task: Task) -> int:  # noqa: ARG002 - one number, whatever the task
        """One."""
        return 1

    def shared_by_all(self, train: FeatureSet, task: Task) -> tuple[str, str] | None:
        """As `Labels.shared_by_all`."""
        numbers = train.column(task.label_tensor_name)
        mean, scale = task.label_list or (0.0, 1.0)
        what = f"the same number {float(numbers[0, 0]) * scale + mean:g}"
        return (what, "a regression needs numbers that differ") if np.ptp(numbers) == 0 else None


class _LearnedScaling:
    """Mean and scale of numbers."""

    def __init__(self) -> None:
        self._numbers: list[Numbers] = []

    def add(self, labels: pa.ChunkedArray, ids: pa.ChunkedArray) -> None:  # noqa: ARG002 - numbers need no names
        """Takes in the finite numbers."""
        numbers = read_numbers(labels.to_pylist())
        self._numbers.append(numbers[np.isfinite(numbers)])

    def fields(self) -> PlainDict:
        """Mean and scale, in the place of a label list."""
        return {"label_list": list(measure(np.concatenate([*self._numbers, []])))}


def _no_number(row_id: str, label: str, task: Task) -> Problem:
    message = f'{row_id}: label "{problems.shorten(label)}" in column "{task.column}" {why_not(label)}'
    return problems.at(row_id, stage=STAGE, kind="bad label", message=message, value=label)


def _columns(head: PredictionHead, answers: RowLogits, texts: Sequence[str], _: bool) -> dict[str, pa.Array]:
    """The column prediction, in the labels' own unit."""
    predictions = head.format_rows(answers, texts)["predictions"]
    return {"prediction": pa.array([prediction["pred"] for prediction in predictions], pa.float32())}


REGRESSION = TaskSpec(
    name="regression",
    farm_name="regression",
    processor="RegressionProcessor",
    predicted_as=("regression", "text_classification"),
    head="RegressionHead",
    head_type="regression",
    metric="mse",
    labels=OneNumber(),
    answers=AnswerForm(keys=("context", "pred"), columns=_columns),
    transformers=TransformersModel(endings=("SequenceClassification",), problem_type="regression"),
)

"""Labels of a regression: numbers read from text, and scaled to mean 0 and standard deviation 1 for training."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from farm_ray.tasks.task import Task

Numbers = npt.NDArray[np.float64]

_LARGEST = float(np.finfo(np.float32).max)
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


class Scaling(NamedTuple):
    """What the labels of a task are scaled by."""

    mean: float
    scale: float
    """Above 0."""

    def apply(self, numbers: Numbers | float) -> Any:
        """`(number - mean) / scale`."""
        return (numbers - self.mean) / self.scale


def scaling_of(task: Task) -> Scaling:
    """The scaling that a regression task keeps in the place of its label list.

    Raises:
        ConfigError: When it is not known yet.
    """
    if not task.label_list:
        raise ConfigError(
            f"mean and scale of the labels in {task.label_name} are not known: a DataSilo measures them on its "
            "training data, or give both (scaler_mean and scaler_scale, or label_list=[mean, scale] of the task)",
            code="scaling-not-known",
            task=task.label_name,
        )
    return Scaling(*task.label_list)


def measure(numbers: Numbers) -> Scaling:
    """Mean and population standard deviation, the same for any order of the numbers and on any machine.

    The scale is 1 where all numbers are equal. No numbers: mean 0, scale 1.

    Args:
        numbers: Finite, at most as large as a float32, [n].
    """
    if not len(numbers):
        return Scaling(0.0, 1.0)
    mean = math.fsum(numbers.tolist()) / len(numbers)
    variance = math.fsum(np.square(numbers - mean).tolist()) / len(numbers)
    # Rounding can leave a tiny variance where there is none.
    varied = numbers.min() < numbers.max()
    return Scaling(mean, math.sqrt(variance) if varied and variance else 1.0)


def read_number(label: str) -> float:
    """The number in a label; NaN where there is none, infinity where it is too large for a float32."""
    try:
        # Python reads 1_000 as a number; in data it is a slip.
        number = float("nan" if "_" in label else label)
    except ValueError:
        return math.nan
    return number if abs(number) <= _LARGEST or math.isnan(number) else math.copysign(math.inf, number)


def read_numbers(labels: Iterable[str | None]) -> Numbers:
    """As `read_number` for each label, NaN for None, [n]."""
    return np.array([math.nan if label is None else read_number(label) for label in labels], np.float64)


def why_not(label: str) -> str:
    """What is wrong with a label that cannot be trained on, and the hint; continues the label."""
    if _DECIMAL_COMMA.fullmatch(label):
        written = label.strip().replace(",", ".")
        return f'is not a number; if the comma is a decimal comma, write "{written}"'
    try:
        float(label)
    except ValueError:
        return "is not a number; correct the row or remove it"
    if "_" in label:
        return "is not a number; write it without underscores"
    return f"is not a finite number below {_LARGEST:.1e}; correct the row or remove it"

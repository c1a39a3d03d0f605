"""From feature rows, of which a long text may have several, back to one entry per input.

N inputs, F feature rows, n of the inputs sound.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from farm_ray.data_handler.batches import FeatureSet

Positions = npt.NDArray[np.int64]
Values = npt.NDArray[np.float32]
Join = Callable[[Sequence[Values], Positions], list[Values]]
"""Makes one array per input of one array per feature row."""


def inputs_of(features: FeatureSet) -> Positions:
    """The number of the input that each feature row was made of, [F], ascending; `features` are all rows of a table."""
    groups = features.groups()
    return np.arange(len(features)) if groups is None else groups


def first_windows(inputs: Positions) -> Positions:
    """Where a new input begins, [n]."""
    return np.flatnonzero(np.diff(inputs, prepend=-1))


def of_first_windows(values: Sequence[Values], inputs: Positions) -> list[Values]:
    """Per input the value of its first window: what a head on whole rows answers, [n].

    Args:
        values: One array per feature row.
        inputs: From `inputs_of`, for the same rows.
    """
    return [values[start] for start in first_windows(inputs).tolist()]


def of_all_windows(values: Sequence[Values], inputs: Positions) -> list[Values]:
    """Per input the values of all its windows, one after the other: every word is owned by one window, [n]."""
    borders = itertools.pairwise([*first_windows(inputs).tolist(), len(values)])
    return [values[start] if end - start == 1 else np.concatenate(values[start:end]) for start, end in borders]

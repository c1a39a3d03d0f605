"""Feature dicts as a torch data set, and data sets joined into one."""

from __future__ import annotations

import logging
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.reproducibility import random_bits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.given_rows import RowDict

logger = logging.getLogger(__name__)

_SPLIT_STREAM = 5


def convert_features_to_dataset(
    features: Sequence[RowDict],
) -> tuple[TensorDataset | None, list[str] | None]:
    """One tensor per feature name, [rows, ...]: int64 for whole numbers, float32 where any value is a fraction.

    Args:
        features: One dict per row, all with the same names and shapes.

    Returns:
        The data set and the names in the order of the first row; (None, None) for no rows.

    Raises:
        DataProblemError: When rows differ in names or shapes; names the row and the feature.
    """
    if not features:
        return None, None
    names = list(features[0])
    for row, feature in enumerate(features):
        if set(feature) != set(names):
            different = ", ".join(sorted(set(feature) ^ set(names)))
            raise DataProblemError(
                f"row {row} differs from row 0 in its features: {different}; give all rows the same",
                code="features-differ",
                row=row,
                value=different,
            )
    return TensorDataset(*(_tensor(name, [row[name] for row in features]) for name in names)), names


class ConcatTensorDataset(ConcatDataset[object]):
    """Tensor data sets one after the other; takes an index, a slice, or a list of indices.

    A slice or a list gives the rows' tensors stacked, as a TensorDataset does.
    """

    def __init__(self, datasets: Sequence[Dataset[object]]) -> None:
        super().__init__(datasets)

    def __getitem__(self, index: Any) -> object:
        if isinstance(index, slice):
            index = range(*index.indices(len(self)))
        elif isinstance(index, Integral):
            return super().__getitem__(int(index))
        rows = [super(ConcatTensorDataset, self).__getitem__(int(row)) for row in index]
        return tuple(torch.stack(column) for column in zip(*rows, strict=True))


def random_split_ConcatDataset(  # noqa: N802 - FARM's name
    ds: Dataset[object], lengths: Sequence[int], *, seed: int = 42
) -> list[Subset[object]]:
    """Non-overlapping parts of exactly these lengths, drawn row by row; together they are the whole data set.

    Args:
        ds: Any data set with a length; each part keeps its rows in their order.
        lengths: Rows per part; they add up to `len(ds)`.
        seed: The same seed gives the same parts.

    Raises:
        ConfigError: When a length is negative, or they do not add up.
    """
    rows = len(ds)  # type: ignore[arg-type]
    if sum(lengths) != rows or min(lengths, default=0) < 0:
        raise ConfigError(
            f"lengths={list(lengths)} must be rows per part and add up to the {rows} rows of the data set",
            code="lengths-do-not-fit",
            value=list(lengths),
            rows=rows,
        )
    order = np.argsort(random_bits(seed, 0, np.arange(rows, dtype=np.uint64), stream=_SPLIT_STREAM), kind="stable")
    return [Subset(ds, np.sort(part).tolist()) for part in np.split(order, np.cumsum(lengths)[:-1])]


def _tensor(name: str, values: Sequence[object]) -> torch.Tensor:
    arrays = [np.asarray(value) for value in values]
    for row, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise DataProblemError(
                f"feature {name}: row {row} has shape {list(array.shape)}, row 0 {list(arrays[0].shape)}; pad the rows",
                code="features-differ",
                row=row,
                feature=name,
            )
    stacked = np.stack(arrays)
    if not (np.issubdtype(stacked.dtype, np.number) or stacked.dtype == np.bool_):
        first = next((value for value in values if not isinstance(value, Real)), values[0])
        raise DataProblemError(
            f"feature {name} holds {first!r}; features are numbers",
            code="feature-not-numbers",
            feature=name,
            value=first,
        )
    # An empty list (labels at inference) has no type of its own.
    fractions = np.issubdtype(stacked.dtype, np.floating) and stacked.size > 0
    return torch.from_numpy(stacked.astype(np.float32 if fractions else np.int64))

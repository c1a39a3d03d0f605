"""From ragged token columns to rectangles, as array operations. No torch: the result is numpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Padding:
    """How a batch of this tokenizer is padded."""

    pad_token_id: int
    """Fills `input_ids`."""
    side: Literal["right", "left"] = "right"
    """Where the padding stands; XLNet-like models want it on the left."""
    segment_pad: int = 0
    """Fills `segment_ids`."""
    max_width: int | None = None
    """Batches are not rounded up beyond it: the model may have no more positions; None: however wide."""
    fills: Mapping[str, int] = field(default_factory=dict)
    """Fills of further token columns, such as the labels of tokens."""

    def value_for(self, column: str) -> int:
        """The padding value of a token column; 0 for every column that is not named here."""
        return {"input_ids": self.pad_token_id, "segment_ids": self.segment_pad, **self.fills}.get(column, 0)


def token_mask(lengths: npt.NDArray[np.integer], width: int, *, side: str = "right") -> npt.NDArray[np.bool_]:
    """True on real tokens, [rows, width]."""
    positions = np.arange(width)
    if side == "left":
        return positions[None, :] >= width - lengths[:, None]
    return positions[None, :] < lengths[:, None]


def pad_ragged(
    values: npt.NDArray[np.generic], mask: npt.NDArray[np.bool_], *, fill: int, dtype: npt.DTypeLike = np.int64
) -> npt.NDArray[np.generic]:
    """The rows laid into a rectangle, [rows, width].

    Args:
        values: All rows' values one after the other, [sum of lengths].
        mask: Where they go, from `token_mask`.
        fill: The padding value.
        dtype: Of the result.
    """
    padded = np.full(mask.shape, fill, dtype)
    padded[mask] = values
    return padded


def round_up(width: int, multiple: int, most: int | None = None) -> int:
    """The next multiple, as GPU kernels like widths that are multiples of 8; `most`, or `width`, where that is more."""
    rounded = -(-width // multiple) * multiple
    return rounded if most is None else max(width, min(rounded, most))

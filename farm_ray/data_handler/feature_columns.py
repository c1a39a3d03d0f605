"""Random access to the columns of a features table, and hashes of what is in them, without copying them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.data_handler.feature_schema import is_ragged
from farm_ray.reproducibility import UInt64, splitmix64

if TYPE_CHECKING:
    from collections.abc import Iterator

Positions = npt.NDArray[np.int64]

_ROWS_HASHED = 20_000
"""At a time: some tens of MB."""


def _ragged_hashes(offsets: npt.NDArray[np.integer], values: npt.NDArray[np.generic]) -> UInt64:
    """For lists, whose values lie between one offset and the next, [rows + 1]."""
    first, ends = int(offsets[0]), (offsets - offsets[0]).astype(np.int64)
    places = np.arange(ends[-1]) - np.repeat(ends[:-1], np.diff(ends))
    held = values[first : first + int(ends[-1])]
    mixed = splitmix64(_as_bits(held) ^ splitmix64(places.view(np.uint64)))
    # Sums that wrap around are sums all the same.
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    return splitmix64(sums[ends[1:]] - sums[ends[:-1]] + splitmix64(np.diff(ends).view(np.uint64)))


def _fixed_hashes(values: npt.NDArray[np.generic]) -> UInt64:
    """For rows of as many values each, [rows] or [rows, ...]."""
    columns = _as_bits(values.reshape(len(values), -1))
    mixed = np.zeros(len(values), np.uint64)
    for column in range(columns.shape[1]):
        mixed = splitmix64(mixed ^ columns[:, column])
    return mixed


def _as_bits(values: npt.NDArray[np.generic]) -> UInt64:
    """Each number as 64 bits; the same for equal numbers of any width."""
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64).view(np.uint64)


class FeatureColumn:
    """Random access to one chunked column without copying it: numpy views on each chunk's buffers."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self.ragged = is_ragged(column.type)
        chunks = [chunk for chunk in column.chunks if len(chunk)]
        self._ends = np.cumsum([len(chunk) for chunk in chunks], dtype=np.int64)
        self._starts = self._ends - np.array([len(chunk) for chunk in chunks], dtype=np.int64)
        if self.ragged:
            self._offsets = [chunk.offsets.to_numpy() for chunk in chunks]
            self._values = [_to_numpy(chunk.values) for chunk in chunks]
        else:
            self._values = [fixed_to_numpy(chunk) for chunk in chunks]

    def lengths(self, rows: Positions) -> npt.NDArray[np.int64]:
        """Values per row, [B]."""
        lengths = np.zeros(len(rows), np.int64)
        for where, offsets, _, index in self._parts(rows):
            lengths[where] = offsets[index + 1] - offsets[index]
        return lengths

    def flat(self, rows: Positions) -> npt.NDArray[np.generic]:
        """The rows' values one after the other, in the order of `rows`."""
        pieces: list[Any] = [None] * len(rows)
        for where, offsets, values, index in self._parts(rows):
            starts, ends = offsets[index], offsets[index + 1]
            for row, start, end in zip(where.tolist(), starts.tolist(), ends.tolist(), strict=True):
                pieces[row] = values[start:end]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)

    def hashes(self) -> UInt64:
        """A 64-bit hash of each row's values and their places, [all rows of the column]."""
        parts = [
            _ragged_hashes(self._offsets[chunk][start : start + _ROWS_HASHED + 1], values)
            if self.ragged
            else _fixed_hashes(values[start : start + _ROWS_HASHED])
            for chunk, values in enumerate(self._values)
            for start in range(0, int(self._ends[chunk] - self._starts[chunk]), _ROWS_HASHED)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.uint64)

    def fixed(self, rows: Positions) -> npt.NDArray[np.generic]:
        """Values of a fixed-size column, [B] or [B, k]; int64 or float32."""
        shape = self._values[0].shape[1:] if self._values else ()
        result = np.zeros((len(rows), *shape), self._values[0].dtype if self._values else np.int64)
        for where, chunk, index in self._chunks(rows):
            result[where] = self._values[chunk][index]
        return result

    def _parts(self, rows: Positions) -> Iterator[tuple[Positions, Any, Any, Positions]]:
        for where, chunk, index in self._chunks(rows):
            yield where, self._offsets[chunk], self._values[chunk], index

    def _chunks(self, rows: Positions) -> Iterator[tuple[Positions, int, Positions]]:
        chunk_of_row = np.searchsorted(self._ends, rows, side="right")
        for chunk in np.unique(chunk_of_row).tolist():
            where = np.flatnonzero(chunk_of_row == chunk)
            yield where, chunk, rows[where] - self._starts[chunk]


def _to_numpy(values: pa.Array) -> npt.NDArray[np.generic]:
    return values.to_numpy(zero_copy_only=False)


def fixed_to_numpy(chunk: pa.Array) -> npt.NDArray[np.generic]:
    """Lists of fixed length (of such lists) as int64 or float32, [rows, ...]; null rows, with a problem, are zeros."""
    values, shape = chunk, [len(chunk)]
    while pa.types.is_fixed_size_list(values.type):
        width = values.type.list_size
        # `values` counts null rows in, unlike `flatten`; a slice starts at its offset.
        values = values.values.slice(values.offset * width, len(values) * width)
        shape.append(width)
    array = _to_numpy(values.fill_null(0)).reshape(shape)
    return array.astype(np.float32 if array.dtype.kind == "f" else np.int64, copy=False)

"""From feature rows to padded tensors: the last step of the data pipeline before the model.

A `FeatureSet` is a view: a table of features that lies in Arrow blocks (shared memory under Ray), and the positions
of the rows that belong to this set. Train and dev split of one file share one table; nothing is copied until a batch
is made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.data_handler.feed.in_memory import InMemoryFeed
from farm_ray.data_handler.samples_to_features.masking import masked, positions_in_text, same_text
from farm_ray.data_handler.samples_to_features.padding import Padding, pad_ragged, round_up, token_mask
from farm_ray.reproducibility import UInt64, hash_ids, splitmix64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch

    from farm_ray.data_handler.feed.base import FeedPlan
    from farm_ray.data_handler.run_sets import Carrier
    from farm_ray.data_handler.samples_to_features.masking import Masking
    from farm_ray.ranks import Ranks

Positions = npt.NDArray[np.int64]

WORD_STARTS, TEXT_NUMBERS = "word_starts", "text_numbers"
"""Columns of language models that tensors are made from, see `input_features.lm_schema`."""

NOT_TENSORS = frozenset({"id", "dict_id", "window", "n_tokens", "clipped", "problem"})
_TOKENS = frozenset({"input_ids", "segment_ids"})
_ROWS_HASHED = 20_000
"""At a time: some tens of MB."""


@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """Some rows of a feature table."""

    table: pa.Table
    """Features as the processor's stages make them, in any number of chunks."""
    rows: Positions
    """Positions in `table` of the rows of this set, [n]; rows with problems are not among them."""
    padding: Padding
    pad_to_multiple_of: int = 1
    """Batch widths are rounded up to a multiple of this; 8 on GPU."""
    blocks: tuple[Any, ...] = ()
    """References to the table's chunks where they lie in Ray's object store; empty where they do not."""
    masking: Masking | None = None
    """How tokens are masked for a language model, in each epoch in another way; None masks none."""
    _columns: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """Views on the table's buffers, made on first use and shared by subsets."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int32]:
        """Tokens per row, special tokens included, [n]."""
        return self.table.column("n_tokens").to_numpy()[self.rows]

    @cached_property
    def row_hashes(self) -> npt.NDArray[np.uint64]:
        """A stable 64-bit hash of each row's id, [n]: what order and splits are computed from."""
        ids = self.table.column("id")
        whole = len(self.rows) == len(ids)
        return hash_ids(ids)[self.rows] if whole else hash_ids(ids.take(pa.array(self.rows)))

    def ids(self) -> list[str]:
        """Row ids, [n]."""
        return self.table.column("id").take(pa.array(self.rows)).to_pylist()

    def groups(self) -> Positions | None:
        """Number of the source row (dict) of each row, [n]; None where every row is a source row of its own.

        Windows of a long text have one number. Numbers ascend in the order of the table.
        """
        if "window" not in self.table.column_names:
            return None
        first_windows = self.table.column("window").to_numpy() == 0
        return (np.cumsum(first_windows) - 1)[self.rows]

    def subset(self, positions: Positions) -> FeatureSet:
        """The rows at these positions of this set (not of the table), in that order."""
        return FeatureSet(
            table=self.table,
            rows=self.rows[positions],
            padding=self.padding,
            pad_to_multiple_of=self.pad_to_multiple_of,
            blocks=self.blocks,
            masking=self.masking,
            _columns=self._columns,
        )

    @property
    def tensor_names(self) -> list[str]:
        """Names of the tensors in a batch, in the order of the table's columns."""
        renamed = {TEXT_NUMBERS: "position_ids", WORD_STARTS: "lm_label_ids"}
        left_out = NOT_TENSORS if self.masking is not None else {*NOT_TENSORS, WORD_STARTS}
        names = [renamed.get(name, name) for name in self.table.column_names if name not in left_out]
        position = names.index("input_ids") + 1
        return names[:position] + [n for n in ("padding_mask", "segment_ids") if n not in names] + names[position:]

    @property
    def label_names(self) -> list[str]:
        """Names of the columns of fixed size: labels."""
        names = [name for name in self.table.column_names if name not in NOT_TENSORS]
        return [name for name in names if not self._view(name).ragged]

    def column(self, name: str) -> npt.NDArray[Any]:
        """A fixed-size column such as labels as numpy, [n] or [n, k]."""
        return self._view(name).fixed(self.rows)

    def content(self) -> dict[str, str]:
        """What these rows hold, whatever their order and their chunks; equal contents train alike.

        Returns:
            `rows`: their number and a hash of their ids; `tokens`: of the token ids; `labels`: of all other tensors;
            `masking`: of how tokens are masked, where they are.
        """
        tensors = [name for name in self.table.column_names if name not in NOT_TENSORS]
        found = {
            "rows": f"{len(self)}, {_together(self.row_hashes)}",
            "tokens": _together(self._hashes_of([name for name in tensors if name in _TOKENS])),
            "labels": _together(self._hashes_of([name for name in tensors if name not in _TOKENS])),
        }
        if self.masking is not None:
            found["masking"] = hashlib.sha256(repr(self.masking).encode()).hexdigest()[:16]
        return found

    def _hashes_of(self, names: Sequence[str]) -> UInt64:
        """A 64-bit hash of each row's id and its values in these columns, [n]."""
        mixed = self.row_hashes
        for name, place in zip(names, hash_ids(names), strict=True):
            mixed = splitmix64(mixed ^ place) ^ self._view(name).hashes()[self.rows]
        return mixed

    def values(self, name: str) -> npt.NDArray[Any]:
        """A column of lists such as the labels of tokens, all rows' values one after the other, [sum of lengths]."""
        return self._view(name).flat(self.rows)

    def batch(self, positions: Positions, epoch: int = 0) -> dict[str, torch.Tensor]:
        """The rows at these positions of this set as tensors.

        Args:
            positions: [B]
            epoch: The pass over the data, from 0: each masks other tokens of language models.

        Returns:
            `input_ids`, `padding_mask` (1 on real tokens) and `segment_ids`, int64 [B, T] with T the longest row;
            label columns [B, k], int64 or float32. Of language models with `masking`, `input_ids` are masked and
            `lm_label_ids` [B, T] hold the original ids, -1 where nothing is predicted. Where several texts share a
            row, `position_ids` [B, T] count from 0 in each, and `padding_mask` is int8 [B, T, T]: 1 where token i may
            look at token j, both of the same text; padding looks at itself.
        """
        import torch

        rows = self.rows[positions]
        mask = self._mask(rows)
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name in self.table.column_names:
            if name in NOT_TENSORS:
                continue
            view = self._view(name)
            if view.ragged:
                arrays[name] = pad_ragged(view.flat(rows), mask, fill=self.padding.value_for(name))
            else:
                arrays[name] = view.fixed(rows)
        arrays.setdefault("padding_mask", mask.astype(np.int64))
        if "segment_ids" not in arrays:
            arrays["segment_ids"] = np.where(mask, 0, self.padding.segment_pad)
        if self.masking is not None and WORD_STARTS in arrays:
            arrays["input_ids"], arrays["lm_label_ids"] = masked(
                arrays["input_ids"], arrays[WORD_STARTS], self.row_hashes[positions], self.masking, epoch
            )
        if TEXT_NUMBERS in arrays:
            arrays["padding_mask"] = same_text(arrays[TEXT_NUMBERS])
            arrays["position_ids"] = positions_in_text(arrays[TEXT_NUMBERS])
        return {name: torch.from_numpy(arrays[name]) for name in self.tensor_names}

    @property
    def loaded(self) -> tuple[pa.Table, ...]:
        """As `TrainingSet.loaded`: all rows."""
        return (self.table,)

    def check_ranks(self, batch_size: int, ranks: int) -> None:
        """As `TrainingSet.check_ranks`: any number can."""

    def padded_to(self, multiple: int) -> FeatureSet:
        """As `TrainingSet.padded_to`."""
        return replace(self, pad_to_multiple_of=multiple)

    def feed(self, ranks: Ranks, plan: FeedPlan) -> InMemoryFeed:
        """As `TrainingSet.feed`: every rank holds all rows and takes its share of each micro-batch."""
        return InMemoryFeed(self, ranks, plan)

    def sent(self, name: str, carrier: Carrier) -> SentRows:
        """As `TrainingSet.sent`: sets with rows in one table share it in the other process too."""
        table = carrier.put(name, self.table, self.blocks)
        return SentRows(table=table, rows=self.rows, padding=self.padding, masking=self.masking)

    def _mask(self, rows: Positions) -> npt.NDArray[np.bool_]:
        """True on real tokens, [B, T]; of features that came padded as they say themselves."""
        if "padding_mask" in self.table.column_names:
            return self._view("padding_mask").fixed(rows) != 0
        lengths = self._view("input_ids").lengths(rows)
        width = round_up(max(1, int(lengths.max(initial=0))), self.pad_to_multiple_of, self.padding.max_width)
        return token_mask(lengths, width, side=self.padding.side)

    def _view(self, name: str) -> _Column:
        if name not in self._columns:
            self._columns[name] = _Column(self.table.column(name))
        return self._columns[name]

    def __reduce__(self) -> tuple[Any, ...]:
        """Views are left behind; the receiver makes its own."""
        return _feature_set, (self.table, self.rows, self.padding, self.pad_to_multiple_of, self.masking)


@dataclass(frozen=True, kw_only=True)
class SentRows:
    """A `FeatureSet` on its way to another process."""

    table: str
    """The name that its carrier knows the table by."""
    rows: Positions
    padding: Padding
    masking: Masking | None

    def received(self, tables: Callable[[str], pa.Table]) -> FeatureSet:
        """The set there; `tables` gives what the carrier took along."""
        return FeatureSet(table=tables(self.table), rows=self.rows, padding=self.padding, masking=self.masking)


def _feature_set(
    table: pa.Table, rows: Positions, padding: Padding, multiple: int, masking: Masking | None
) -> FeatureSet:
    return FeatureSet(table=table, rows=rows, padding=padding, pad_to_multiple_of=multiple, masking=masking)


def _together(hashes: UInt64) -> str:
    """One hash of all, whatever their order: sixteen hexadecimal digits."""
    return f"{int(splitmix64(hashes).sum(dtype=np.uint64)):016x}"


def _ragged_hashes(offsets: npt.NDArray[Any], values: npt.NDArray[Any]) -> UInt64:
    """For lists, whose values lie between one offset and the next, [rows + 1]."""
    first, ends = int(offsets[0]), (offsets - offsets[0]).astype(np.int64)
    places = np.arange(ends[-1]) - np.repeat(ends[:-1], np.diff(ends))
    held = values[first : first + int(ends[-1])]
    mixed = splitmix64(_as_bits(held) ^ splitmix64(places.view(np.uint64)))
    # Sums that wrap around are sums all the same.
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    return splitmix64(sums[ends[1:]] - sums[ends[:-1]] + splitmix64(np.diff(ends).view(np.uint64)))


def _fixed_hashes(values: npt.NDArray[Any]) -> UInt64:
    """For rows of as many values each, [rows] or [rows, ...]."""
    columns = _as_bits(values.reshape(len(values), -1))
    mixed = np.zeros(len(values), np.uint64)
    for column in range(columns.shape[1]):
        mixed = splitmix64(mixed ^ columns[:, column])
    return mixed


def _as_bits(values: npt.NDArray[Any]) -> UInt64:
    """Each number as 64 bits; the same for equal numbers of any width."""
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64).view(np.uint64)


class _Column:
    """Random access to one chunked column without copying it: numpy views on each chunk's buffers."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self.ragged = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
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

    def flat(self, rows: Positions) -> npt.NDArray[Any]:
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

    def fixed(self, rows: Positions) -> npt.NDArray[Any]:
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


def _to_numpy(values: pa.Array) -> npt.NDArray[Any]:
    return values.to_numpy(zero_copy_only=False)


def fixed_to_numpy(chunk: pa.Array) -> npt.NDArray[Any]:
    """Lists of fixed length (of such lists) as int64 or float32, [rows, ...]; null rows, with a problem, are zeros."""
    values, shape = chunk, [len(chunk)]
    while pa.types.is_fixed_size_list(values.type):
        width = values.type.list_size
        # `values` counts null rows in, unlike `flatten`; a slice starts at its offset.
        values = values.values.slice(values.offset * width, len(values) * width)
        shape.append(width)
    array = _to_numpy(values.fill_null(0)).reshape(shape)
    return array.astype(np.float32 if array.dtype.kind == "f" else np.int64, copy=False)

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

from farm_ray.data_handler.feature_columns import FeatureColumn, Positions
from farm_ray.data_handler.feature_schema import TEXT_NUMBERS, WORD_STARTS, Role, features_of
from farm_ray.data_handler.feed.in_memory import InMemoryFeed
from farm_ray.data_handler.samples_to_features.masking import masked, positions_in_text, same_text
from farm_ray.data_handler.samples_to_features.padding import Padding, pad_ragged, round_up, token_mask
from farm_ray.reproducibility import UInt64, hash_ids, splitmix64

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from farm_ray.data_handler.feature_schema import Feature
    from farm_ray.data_handler.feed.base import FeedPlan
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.run_sets import Carrier
    from farm_ray.data_handler.samples_to_features.masking import Masking
    from farm_ray.ranks import Ranks

_MADE_FROM = {TEXT_NUMBERS: "position_ids", WORD_STARTS: "lm_label_ids"}
"""Columns of language models -> the tensors that are made from them."""


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
    blocks: tuple[object, ...] = ()
    """References to the table's chunks where they lie in Ray's object store; empty where they do not."""
    masking: Masking | None = None
    """How tokens are masked for a language model, in each epoch in another way; None masks none."""
    _columns: RowDict = field(default_factory=dict, repr=False, compare=False)
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

    @cached_property
    def tensors(self) -> tuple[Feature, ...]:
        """The columns that batches are made of.

        Raises:
            ConfigError: For a column that the schema does not name.
        """
        return tuple(feature for feature in features_of(self.table.schema) if feature.is_tensor)

    @property
    def tensor_names(self) -> list[str]:
        """Names of the tensors in a batch, in the order of the table's columns."""
        left_out = () if self.masking is not None else (WORD_STARTS,)
        names = [_MADE_FROM.get(one.name, one.name) for one in self.tensors if one.name not in left_out]
        position = names.index("input_ids") + 1
        return names[:position] + [n for n in ("padding_mask", "segment_ids") if n not in names] + names[position:]

    @property
    def label_names(self) -> list[str]:
        """Names of the columns of fixed size: labels."""
        return [one.name for one in self.tensors if not one.ragged]

    def column(self, name: str) -> npt.NDArray[Any]:
        """A fixed-size column such as labels as numpy, [n] or [n, k]."""
        return self._view(name).fixed(self.rows)

    def content(self) -> dict[str, str]:
        """What these rows hold, whatever their order and their chunks; equal contents train alike.

        Returns:
            `rows`: their number and a hash of their ids; `tokens`: of the token ids; `labels`: of all other tensors;
            `masking`: of how tokens are masked, where they are.
        """
        found = {
            "rows": f"{len(self)}, {_together(self.row_hashes)}",
            "tokens": _together(self._hashes_of([one.name for one in self.tensors if one.role is Role.IDS])),
            "labels": _together(self._hashes_of([one.name for one in self.tensors if one.role is not Role.IDS])),
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
        for feature in self.tensors:
            name, view = feature.name, self._view(feature.name)
            if feature.ragged:
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

    def _view(self, name: str) -> FeatureColumn:
        if name not in self._columns:
            self._columns[name] = FeatureColumn(self.table.column(name))
        return self._columns[name]

    def __reduce__(self) -> tuple[object, ...]:
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

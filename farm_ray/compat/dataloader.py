"""Batches of a torch data set, by the names of its tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class NamedDataLoader(DataLoader[object]):
    """A DataLoader whose batches are dicts: tensor name to stacked tensor, [batch_size, ...].

    Args:
        dataset: Rows are tuples of tensors; a streaming set (IterableDataset) works too.
        batch_size: Rows per batch; the last batch may be smaller.
        sampler: Decides about the order of rows; in order by default.
        tensor_names: Names of the tensors, in the order in which rows hold them.
        num_workers: Processes that load ahead.
        pin_memory: Page-locked memory for a faster way to the GPU.

    Raises:
        ConfigError: When names are missing or there are not as many as tensors (when the first batch is made).
    """

    def __init__(
        self,
        dataset: Dataset[object],
        batch_size: int,
        sampler: Sampler[object] | Iterable[object] | None = None,
        tensor_names: Sequence[str] | None = None,
        num_workers: int = 0,
        pin_memory: bool = False,
    ) -> None:
        if not tensor_names:
            raise ConfigError(
                "NamedDataLoader needs tensor_names; dataset_from_dicts returns them with the data set",
                code="missing-option",
                option="tensor_names",
            )
        self._batcher = _NamedBatch(list(tensor_names))
        super().__init__(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            collate_fn=self._batcher,
            num_workers=num_workers,
            pin_memory=pin_memory,
        )

    def __len__(self) -> int:
        """Batches per pass; for streaming sets, the rows they expect over the rows per batch, rounded up."""
        if isinstance(self.dataset, IterableDataset):
            rows = len(self.dataset)  # type: ignore[arg-type]
            return math.ceil(rows / (getattr(self.dataset, "batch_size", None) or self.batch_size or 1))
        return super().__len__()


def covert_dataset_to_dataloader(
    dataset: Dataset[Any], sampler: type[Sampler[Any]] | Sampler[Any], batch_size: int
) -> DataLoader[object]:
    """A plain DataLoader of the data set; the name is spelt as FARM spells it.

    Args:
        dataset: What to load.
        sampler: A sampler of this data set, or as in FARM a class, of which one is made.
        batch_size: Rows per batch.
    """
    made: Any = sampler if isinstance(sampler, Sampler) else sampler(dataset)  # type: ignore[call-arg]
    return DataLoader(dataset, sampler=made, batch_size=batch_size)


class _NamedBatch:
    """Rows to a dict of stacked tensors; a class, so that it can be sent to loader processes."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __call__(self, rows: list[tuple[torch.Tensor, ...]]) -> dict[str, torch.Tensor]:
        if len(rows[0]) != len(self.names):
            raise ConfigError(
                f"rows have {len(rows[0])} tensors, but there are {len(self.names)} tensor_names: "
                f"{', '.join(self.names)}",
                code="wrong-number-of-names",
                value=len(self.names),
            )
        return {name: torch.stack(column) for name, column in zip(self.names, zip(*rows, strict=True), strict=True)}

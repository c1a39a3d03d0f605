"""Batches of a feature set as an iterable, for people with their own loop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from farm_ray.data_handler.order.in_memory import InMemoryOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.feature_columns import Positions


class FeatureLoader:
    """Iterates over the padded batches of a feature set.

    With a seed each pass has the order of the next epoch of training, from epoch 0 on, whether or not the pass before
    was interrupted; `set_epoch` says which one is next. Without a seed rows come in file order.
    """

    def __init__(self, dataset: FeatureSet, batch_size: int, *, seed: int | None = None) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        """Of the next pass."""

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch of the next pass; the passes after it are the epochs after it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        batches, epoch = self.positions(), self.epoch
        if self.seed is not None:
            self.epoch += 1
        for positions in batches:
            yield self.dataset.batch(positions, epoch)

    def positions(self) -> list[Positions]:
        """The rows of each batch of the next pass, as positions in the data set."""
        if self.seed is not None:
            return self.order(self.seed).batches(self.epoch)
        rows = len(self.dataset)
        return [np.arange(at, min(at + self.batch_size, rows)) for at in range(0, rows, self.batch_size)]

    def order(self, seed: int, *, grad_acc_steps: int = 1) -> InMemoryOrder:
        """The plan behind the batches."""
        return InMemoryOrder(
            lengths=self.dataset.lengths,
            row_hashes=self.dataset.row_hashes,
            seed=seed,
            batch_size=self.batch_size,
            grad_acc_steps=grad_acc_steps,
        )

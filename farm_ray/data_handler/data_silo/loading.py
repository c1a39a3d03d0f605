"""Features of one set in memory, from its files or dicts: on Ray or in this process, cached or kept in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray import storage
from farm_ray.data_handler.columns import joined
from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
from farm_ray.data_handler.data_silo.cache import cached_features
from farm_ray.data_handler.data_silo.executor import blocks_on_ray, run_here
from farm_ray.data_handler.data_silo.featurize import feature_blocks, featurized, split_rows_of
from farm_ray.data_handler.processor.measuring import without_texts
from farm_ray.parts import START

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from farm_ray.data_handler.data_silo.partial_features import PartialFeatures
    from farm_ray.data_handler.data_silo.split_groups import SplitRows
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.processor import Processor
    from farm_ray.progress import Progress

Made = tuple[pa.Table, tuple[object, ...]]
"""Features, and references to the table's chunks where they lie in Ray's object store."""

_SMALL_BYTES = 256 << 10
"""Inputs up to this size are featurised in this process even where Ray runs: its first task would take longer."""
_LARGE_BYTES = 32 << 20
"""Inputs from this size on are worth starting Ray for."""


def worth_ray(files: Sequence[str], *, max_processes: int) -> bool:
    """Whether these files are large enough to be read on Ray; with one process they never are."""
    if max_processes == 1:
        return False
    from farm_ray import cluster

    sizes = [storage.size(file) for file in files]
    size = sum(_LARGE_BYTES if known is None else known for known in sizes)
    return size > _SMALL_BYTES if cluster.is_connected() else size >= _LARGE_BYTES


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How the sets of a silo are loaded."""

    processor: Processor
    seed: int
    max_processes: int
    """Most Ray tasks at once; 1 works in this process."""
    rows_at_once: int = 2000
    """That a task featurises."""
    progress: Progress | None = None
    cache_path: Path | None = None
    """Folder where features are kept; None keeps none."""
    parts: PartialFeatures | None = None
    """Keeps the features of files while they are made; None keeps none."""

    def training_rows(self, dicts: Sequence[RowDict] | None, files: Sequence[str]) -> Iterator[pa.Table]:
        """The training data from stage 1: a pass of its own, made only where the processor has something to measure."""
        if dicts is not None:
            yield self.processor.dicts_to_table(dicts)
            return
        done = 0
        for table in self._read(files):
            yield table
            done += table.num_rows
            self._note("measure rows", done)

    def features(self, dicts: Sequence[RowDict] | None, files: Sequence[str] | None, name: str) -> Made | None:
        """The features of these dicts, else of these files; None without either.

        Args:
            dicts: As for `Processor.dicts_to_table`.
            files: To be read in this order.
            name: Of the set.

        Raises:
            DataProblemError: When a file cannot be read.
        """
        if dicts is not None:
            return self._gathered([self.processor.featurize(self.processor.dicts_to_table(dicts))])
        if files is None:
            return None
        if self.cache_path is None:
            return self._from_files(files, name)
        folder = self.cache_path
        cached = [self._cached(f"{name}-{number}", file, folder) for number, file in enumerate(files)]
        return joined(cached), ()

    def _read(self, files: Sequence[str]) -> Iterator[pa.Table]:
        on_ray = self._on_ray(files)
        rows = self._rows(files, on_ray=on_ray)
        if not on_ray:
            return (table for _, table in run_here(rows.tasks()))
        tasks = rows.tasks(START, BroadcastProcessor(rows.processor).processor)
        return (table for _, table in blocks_on_ray(tasks, without_texts, max_tasks=self.max_processes))

    def _cached(self, name: str, file: str, folder: Path) -> pa.Table:
        return cached_features(self.processor, file, folder, lambda: self._from_files([file], name)[0])

    def _from_files(self, files: Sequence[str], name: str) -> Made:
        on_ray = self._on_ray(files)
        if self.parts is not None:
            return self._in_parts(self.parts, name, files, on_ray=on_ray)
        rows = self._rows(files, on_ray=on_ray)
        if on_ray and not self.processor.rows_of_whole_tables:
            return feature_blocks(
                rows, max_tasks=self.max_processes, note=lambda done: self._note("preprocess rows", done)
            )
        made = featurized(rows, on_ray=on_ray, max_tasks=self.max_processes)
        return self._gathered(table for _, table in made)

    def _in_parts(self, parts: PartialFeatures, name: str, files: Sequence[str], *, on_ray: bool) -> Made:
        features = parts.features(
            name,
            self.processor,
            files,
            seed=self.seed,
            rows_at_once=self.rows_at_once,
            max_tasks=self.max_processes,
            on_ray=on_ray,
            progress=self.progress,
        )
        return features, ()

    def _rows(self, files: Sequence[str], *, on_ray: bool) -> SplitRows:
        return split_rows_of(
            self.processor,
            files,
            storage.file_states(files),
            seed=self.seed,
            rows_per_table=self.rows_at_once,
            on_ray=on_ray,
        )

    def _on_ray(self, files: Sequence[str]) -> bool:
        """Whether Ray, which is connected then, is to read these files."""
        if not worth_ray(files, max_processes=self.max_processes):
            return False
        from farm_ray import cluster

        cluster.connect()
        return True

    def _gathered(self, features: Iterable[pa.Table]) -> Made:
        """All tables of features as one, told to who watches."""
        found, done = [], 0
        for table in features:
            found.append(table)
            done += table.num_rows
            self._note("preprocess rows", done)
        return joined(found), ()

    def _note(self, stage: str, done: int) -> None:
        if self.progress is not None:
            self.progress(stage, done, None, "")

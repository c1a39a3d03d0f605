"""StreamingDataSilo: trains from the files where they lie, whatever their size; dev and test are kept in memory."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from farm_ray import cluster, storage
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.data_silo import statistics
from farm_ray.data_handler.data_silo.base import SETS, BaseSilo, given_sets
from farm_ray.data_handler.data_silo.config import DEFAULTS, SiloOptions
from farm_ray.data_handler.data_silo.estimate import estimated_rows
from farm_ray.data_handler.data_silo.input_files import input_files, input_path, planned_splits
from farm_ray.data_handler.data_silo.lanes import Lanes
from farm_ray.data_handler.data_silo.line_numbers import with_lines
from farm_ray.data_handler.data_silo.loading import Loading, worth_ray
from farm_ray.data_handler.data_silo.stream import StreamedSet
from farm_ray.data_handler.file_to_dicts.empty_files import filled_files
from farm_ray.data_handler.order import FeatureLoader, Position
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.options import arguments_checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    import torch

    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.processor import Processor
    from farm_ray.progress import Progress

LANES = 8
_DIGITS = 16


class StreamingDataSilo(BaseSilo):
    """A silo whose train set is never whole anywhere: windows of it are read, featurised and used up while training.

    Works with every processor. Text files, JSON lines, TSV and CSV are cut into splits that are read by themselves;
    compressed files, web addresses and files that a processor of your own reads are read from start to end, each in
    one lane, so give several of them. A TSV or CSV file with quotes is looked through once before, in parallel;
    `quote_char=None` spares that. `Trainer` takes it like any silo.

    The options are those of `SiloOptions`.

    Args:
        processor: Brings the three stages; a frozen copy is kept. Its `train_filename` may be a folder or a pattern.
        problems_dir: Where `problems.parquet` is written when rows are quarantined; None writes none.
        progress: Called with (stage, rows done, rows in all or None, note).

    Raises:
        ConfigError: When the processor has no task, or a dev set is to be split off the stream.
        DataProblemError: For missing or empty files, and for bad rows in dev and test.
    """

    @strict_arguments
    def __init__(
        self,
        processor: Processor,
        batch_size: int,
        distributed: bool = DEFAULTS.distributed,
        dataloader_workers: int = DEFAULTS.dataloader_workers,
        *,
        eval_batch_size: int | None = DEFAULTS.eval_batch_size,
        seed: int = DEFAULTS.seed,
        lanes: int | None = DEFAULTS.lanes,
        window_bytes: int = DEFAULTS.window_bytes,
        max_problem_share: float = DEFAULTS.max_problem_share,
        problems_dir: str | Path | None = None,
        max_processes: int = DEFAULTS.max_processes,
        progress: Progress | None = None,
    ) -> None:
        with arguments_checked():
            options = SiloOptions(
                batch_size=batch_size,
                eval_batch_size=eval_batch_size,
                distributed=distributed,
                dataloader_workers=dataloader_workers,
                max_processes=max_processes,
                seed=seed,
                lanes=lanes,
                window_bytes=window_bytes,
                max_problem_share=max_problem_share,
            )
        self.wanted_lanes, self.window_bytes = options.lanes, options.window_bytes
        self.tasks_ahead = options.dataloader_workers
        super().__init__(processor, options, problems_dir=problems_dir, progress=progress)
        self._load_data()

    def _load_data(
        self,
        train_dicts: Sequence[RowDict] | None = None,
        dev_dicts: Sequence[RowDict] | None = None,
        test_dicts: Sequence[RowDict] | None = None,
    ) -> None:
        """Plans the train set and fills the others, from these dicts or from the processor's files."""
        if train_dicts is not None:
            raise ConfigError("a stream is read from files; a DataSilo takes train_dicts", code="stream-needs-files")
        processor = self.processor
        if processor.dev_split and not processor.dev_filename and dev_dicts is None:
            raise ConfigError(
                f"dev_split={processor.dev_split} cannot be taken from a stream; give a dev_filename, or dev_split=0",
                code="stream-has-no-split",
                option="dev_split",
                value=processor.dev_split,
            )
        given = given_sets(dev_dicts=dev_dicts, test_dicts=test_dicts)
        self._forget_problems()
        files = input_files(processor, [name for name in SETS if given.get(name) is None])
        processor.check_ready_for_training(input_path(processor, "train"))
        if "train" not in files:
            raise ConfigError(
                "a StreamingDataSilo needs a train_filename", code="missing-option", option="train_filename"
            )
        files = {name: filled_files(found, processor.read) for name, found in files.items()}
        self.processor = processor.fitted_on(self._loading().training_rows(None, files["train"]))
        loading = self._loading()
        for name, dicts in given.items():
            self.data[name] = self._accept(name, loading.features(dicts, files.get(name), name))
        self.data["train"] = self._planned(files["train"])

    def _loading(self) -> Loading:
        return Loading(
            processor=self.processor, seed=self.seed, max_processes=self.max_processes, progress=self.progress
        )

    def _planned(self, files: Sequence[str]) -> StreamedSet:
        """The train set as ranges, lanes and an estimate of its rows."""
        sizes = {file: storage.size(file) for file in files}
        filled = [file for file in files if sizes[file] != 0]
        if not filled:
            shown = ", ".join(storage.redacted(file) for file in files[:3])
            raise DataProblemError(
                f"{shown}: the train set is empty; give files with text", code="no-rows", set="train", file=shown
            )
        stamps = {file: storage.change_stamp(file) for file in filled}
        # To start Ray would take longer than most looks.
        on_ray = cluster.is_connected() and worth_ray(filled, max_processes=self.max_processes)
        planned = planned_splits(self.processor, filled, self.window_bytes, lines_wanted=False, on_ray=on_ray)
        ranges = [replace(split, stamp=stamps.get(split.file)) for split in planned]
        lanes = self.wanted_lanes or min(LANES, self.batch_size, len(ranges))
        return StreamedSet(
            processor=self.processor,
            ranges=tuple(ranges),
            names=tuple(f"{one.name}@{one.start}" for one in ranges),
            seed=self.seed,
            lanes=lanes,
            rows=estimated_rows(self.processor, ranges, sizes, seed=self.seed, keep_going=self.max_problem_share > 0),
            corpus=self._corpus(ranges, sizes),
            weights=_weights(ranges, sizes),
            max_problem_share=self.max_problem_share,
            max_tasks=min(self.max_processes, self.tasks_ahead),
        )

    def _corpus(self, ranges: Sequence[Split], sizes: Mapping[str, int | None]) -> dict[str, str]:
        """As `StreamedSet.corpus`: what a checkpoint must agree with."""
        files = {str(one.name): one for one in ranges}
        return {
            "files": _digest(sorted((name, sizes[one.file]) for name, one in files.items())),
            "files by time of change or ETag": _digest(sorted((name, one.stamp) for name, one in files.items())),
            "window_bytes": str(self.window_bytes),
            "processor": self.processor.fingerprint()[:_DIGITS],
        }

    def quarantine_while_training(self, found: pa.Table | None) -> None:
        """As `BaseSilo.quarantine_while_training`; rows are named by their lines."""
        super().quarantine_while_training(None if found is None else with_lines(found, self.stream.ranges))

    @property
    def stream(self) -> StreamedSet:
        """The train set."""
        train: StreamedSet = self.data["train"]
        return train

    def statistics(self) -> dict[str, float]:
        """Rows per set, of train an estimate."""
        facts = statistics.describe({name: self.data[name] for name in ("dev", "test")}, batch_size=self.batch_size)
        return {"n_samples_train": len(self.stream), **facts, "n_samples": facts["n_samples"] + len(self.stream)}

    def _new_loader(self, dataset_name: str, rows: Any) -> FeatureLoader | StreamLoader:
        """As `BaseSilo`: train is read as it is trained on."""
        if dataset_name == "train":
            return StreamLoader(rows, self.batch_size)
        return FeatureLoader(rows, self.eval_batch_size)

    def calculate_class_weights(self, task_name: str, source: str = "train") -> npt.NDArray[np.float32]:
        """Refused: labels of a stream are not known before it is read.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            f'class weights of "{task_name}" ({source}) cannot be counted on a stream; give them as numbers, or count '
            "them with a DataSilo over a sample",
            code="stream-has-no-counts",
            task=task_name,
        )


def _digest(facts: Sequence[object]) -> str:
    return f"{len(facts)}, {hashlib.sha256(repr(facts).encode()).hexdigest()[:_DIGITS]}"


def _weights(ranges: Sequence[Split], sizes: Mapping[str, int | None]) -> tuple[float, ...]:
    """Bytes of each range, those of a usual one where a file's size is not known."""
    found = [sizes[one.file] if one.end is None else one.end - one.start for one in ranges]
    known = [size for size in found if size]
    usual = sum(known) / len(known) if known else 1.0
    return tuple(float(size or usual) for size in found)


class StreamLoader:
    """Iterates over the padded batches of a stream, in this process, in the order of training.

    Each pass is the next epoch, from 0 on, whether or not the pass before was interrupted; `set_epoch` says which one
    is next.
    """

    def __init__(self, dataset: StreamedSet, batch_size: int) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.epoch = 0
        """Of the next pass."""

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch of the next pass; the passes after it are the epochs after it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        epoch, order = self.epoch, self.dataset.order(self.batch_size)
        self.epoch += 1
        with contextlib.closing(Lanes(self.dataset, order, range(order.lanes), epochs=epoch + 1)) as lanes:
            lanes.go_to(Position(epoch=epoch))
            for number in itertools.count():
                parts = lanes.take(number)
                if lanes.problems.too_many(lanes.problems.number):
                    lanes.problems.refuse(lanes.problems.tables)
                if not parts:
                    return
                yield lanes.batch(parts)

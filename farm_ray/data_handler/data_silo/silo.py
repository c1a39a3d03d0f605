"""DataSilo: the train, dev and test features of a run, in memory, ready for any number of workers."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray import farm_methods, storage
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.columns import joined
from farm_ray.data_handler.data_silo import label_strata, quarantine, statistics
from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
from farm_ray.data_handler.data_silo.cache import cached_features
from farm_ray.data_handler.data_silo.executor import blocks_on_ray, run_here
from farm_ray.data_handler.data_silo.featurize import feature_blocks, featurized, split_rows_of
from farm_ray.data_handler.data_silo.input_files import input_files, input_path
from farm_ray.data_handler.data_silo.pooling import Units
from farm_ray.data_handler.data_silo.splits import split_rows
from farm_ray.data_handler.file_to_dicts.empty_files import filled_files
from farm_ray.data_handler.given_rows import given_list
from farm_ray.data_handler.order import FeatureLoader
from farm_ray.data_handler.processor.measuring import without_texts
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.overrides import refuse_uncalled
from farm_ray.parts import START

if TYPE_CHECKING:
    from torch.utils.data import Dataset, Subset

    from farm_ray.data_handler.data_silo.folds import Strata
    from farm_ray.data_handler.data_silo.partial_features import PartialFeatures
    from farm_ray.data_handler.data_silo.split_groups import SplitRows
    from farm_ray.data_handler.processor import Processor

Progress = Callable[[str, int, int | None, str], None]
_Made = tuple[pa.Table, tuple[Any, ...]]
"""Features, and references to the table's chunks where they lie in Ray's object store."""
SETS = ("train", "dev", "test")

_SMALL_BYTES = 256 << 10
"""Inputs up to this size are featurised in this process even where Ray runs: its first task would take longer."""
_LARGE_BYTES = 32 << 20
"""Inputs from this size on are worth starting Ray for."""

logger = logging.getLogger(__name__)


class DataSilo:
    """Turns the files (or dicts) of a processor into features and keeps them as Arrow tables.

    Args:
        processor: Brings the three stages; a frozen copy is kept, fitted to the training data, so add tasks before.
        batch_size: Rows the optimizer sees per micro-batch, over all workers together.
        eval_batch_size: Rows per batch of an evaluation; None takes `batch_size`.
        distributed: Ignored, kept for FARM compatibility; Ray Train knows.
        automatic_loading: Load the processor's files now; False waits for `_load_data` with dicts.
        max_multiprocessing_chunksize: Rows that a Ray task featurises at a time.
        max_processes: Most Ray tasks at once; 1 works in this process without Ray.
        caching: Keep features on disk and reuse them while file contents and processor stay the same.
        cache_path: Folder of that cache.
        seed: Of the dev split and of the training order.
        max_problem_share: Share of a set's rows that may be quarantined; 0 stops at the first bad row.
        problems_dir: Where `problems.parquet` is written when rows are quarantined; None writes none.
        progress: Called with (stage, rows done, rows in all or None, note).
        parts: Keeps the features of files while they are made, for a run that may be killed; None keeps none.

    Raises:
        ConfigError: When the processor has no task, or the dev split leaves nothing.
        DataProblemError: For missing files and columns, bad rows above `max_problem_share`, or a single class.
    """

    @strict_arguments
    def __init__(
        self,
        processor: Processor,
        batch_size: int,
        eval_batch_size: int | None = None,
        distributed: bool = False,
        automatic_loading: bool = True,
        max_multiprocessing_chunksize: int = 2000,
        max_processes: int = 128,
        caching: bool = False,
        cache_path: str | Path = Path("cache/data_silo"),
        *,
        seed: int = 42,
        max_problem_share: float = 0.0,
        problems_dir: str | Path | None = None,
        progress: Progress | None = None,
        parts: PartialFeatures | None = None,
    ) -> None:
        refuse_uncalled(type(self), farm_methods.DATA_SILO)
        _check_numbers(batch_size, eval_batch_size, max_multiprocessing_chunksize, max_processes, max_problem_share)
        if distributed:
            warnings.warn("DataSilo(distributed=True) has no effect: Ray Train knows its workers", stacklevel=2)
        self.processor = processor.frozen()
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size or batch_size
        self.max_rows_at_once = max_multiprocessing_chunksize
        self.max_processes = max_processes
        if caching:
            storage.check_lasting(cache_path, hint="give an absolute cache_path=...")
        self.cache_path = storage.local_path(cache_path) if caching else None
        self.seed = seed
        self.max_problem_share = max_problem_share
        self.problems_dir = None if problems_dir is None else storage.local_path(problems_dir)
        self.progress = progress
        self._parts = parts
        self.data: dict[str, FeatureSet | None] = dict.fromkeys(SETS)
        self._loaders: dict[str, Any] = {}
        self.problems = pa.table({})
        self._problem_tables: list[pa.Table] = []
        if automatic_loading:
            self._load_data()

    def _load_data(
        self,
        train_dicts: list[dict[str, Any]] | None = None,
        dev_dicts: list[dict[str, Any]] | None = None,
        test_dicts: list[dict[str, Any]] | None = None,
    ) -> None:
        """Fills the sets from these dicts, and from the processor's files where no dicts are given."""
        given = given_sets(train_dicts=train_dicts, dev_dicts=dev_dicts, test_dicts=test_dicts)
        train_dicts = given["train"]
        self._problem_tables = []
        # A missing test file must not cost the time of the training data.
        files = input_files(self.processor, [name for name in SETS if given[name] is None])
        self.processor.check_ready_for_training(input_path(self.processor, "train") if train_dicts is None else None)
        files = {name: filled_files(found, self.processor.read) for name, found in files.items()}
        if train_dicts is not None or "train" in files:
            self.processor = self.processor.fitted_on(self._training_rows(train_dicts, files.get("train", ())))
        self.processor.check_labels_known()
        for name in SETS:
            made = self._features(given[name], files.get(name), name)
            self.data[name] = None if made is None else self._accept(name, *made)
        self.problems = _concat(self._problem_tables)
        if self.data["dev"] is None and self.data["train"] is not None and self.processor.dev_split:
            self._split_dev_from_train()
        train = self.data["train"]
        if train is not None:
            statistics.check_label_variety(train, self.processor.tasks)
            for warning in statistics.labels_without_rows(self.data, self.processor.tasks):
                logger.warning(warning)
        tip = statistics.clipping_tip(self.statistics(), max_seq_len=self.processor.max_seq_len)
        if tip:
            logger.warning(tip)

    def _training_rows(self, dicts: list[dict[str, Any]] | None, files: Sequence[str]) -> Iterator[pa.Table]:
        """The training data from stage 1: a pass of its own, made only where the processor has something to measure."""
        if dicts is not None:
            yield self.processor.dicts_to_table(dicts)
            return
        done = 0
        for table in self._read(files):
            yield table
            done += table.num_rows
            if self.progress is not None:
                self.progress("measure rows", done, None, "")

    def _read(self, files: Sequence[str]) -> Iterator[pa.Table]:
        on_ray = self._on_ray(files)
        rows = self._rows(files, on_ray=on_ray)
        if not on_ray:
            return (table for _, table in run_here(rows.tasks()))
        tasks = rows.tasks(START, BroadcastProcessor(rows.processor).processor)
        return (table for _, table in blocks_on_ray(tasks, without_texts, max_tasks=self.max_processes))

    def _features(self, dicts: list[dict[str, Any]] | None, files: list[str] | None, name: str = "") -> _Made | None:
        if dicts is not None:
            return self._gathered([self.processor.featurize(self.processor.dicts_to_table(dicts))])
        if files is None:
            return None
        if self.cache_path is None:
            return self._from_files(files, name)
        folder = self.cache_path
        cached = [self._cached(f"{name}-{number}", file, folder) for number, file in enumerate(files)]
        return joined(cached), ()

    def _cached(self, name: str, file: str, folder: Path) -> pa.Table:
        return cached_features(self.processor, file, folder, lambda: self._from_files([file], name)[0])

    def _from_files(self, files: Sequence[str], name: str) -> _Made:
        on_ray = self._on_ray(files)
        if self._parts is not None:
            return self._in_parts(self._parts, name, files, on_ray=on_ray)
        rows = self._rows(files, on_ray=on_ray)
        if on_ray and not self.processor.rows_of_whole_tables:
            return feature_blocks(rows, max_tasks=self.max_processes, note=self._note_rows)
        made = featurized(rows, on_ray=on_ray, max_tasks=self.max_processes)
        return self._gathered(table for _, table in made)

    def _in_parts(self, parts: PartialFeatures, name: str, files: Sequence[str], *, on_ray: bool) -> _Made:
        features = parts.features(
            name,
            self.processor,
            files,
            seed=self.seed,
            rows_at_once=self.max_rows_at_once,
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
            rows_per_table=self.max_rows_at_once,
            on_ray=on_ray,
        )

    def _on_ray(self, files: Sequence[str]) -> bool:
        """Whether Ray, which is connected then, is to read these files."""
        if not self._worth_ray(files):
            return False
        from farm_ray import cluster

        cluster.connect()
        return True

    def _worth_ray(self, files: Sequence[str]) -> bool:
        if self.max_processes == 1:
            return False
        from farm_ray import cluster

        sizes = [storage.size(file) for file in files]
        size = sum(_LARGE_BYTES if known is None else known for known in sizes)
        return size > _SMALL_BYTES if cluster.is_connected() else size >= _LARGE_BYTES

    def _gathered(self, features: Iterable[pa.Table]) -> _Made:
        """All tables of features as one, told to who watches."""
        found, done = [], 0
        for table in features:
            found.append(table)
            done += table.num_rows
            self._note_rows(done)
        return joined(found), ()

    def _note_rows(self, done: int) -> None:
        if self.progress is not None:
            self.progress("preprocess rows", done, None, "")

    def _accept(self, name: str, features: pa.Table, blocks: tuple[Any, ...]) -> FeatureSet:
        found = quarantine.table_of(features, set_name=name)
        if found.num_rows:
            self._problem_tables.append(found)
            everything = _concat(self._problem_tables)
            stored = None if self.problems_dir is None else quarantine.store(everything, self.problems_dir)
            rows_in = quarantine.source_rows(features)
            quarantine.refuse(found, rows_in, max_share=self.max_problem_share, stored=stored)
            told = f"{found.num_rows} of {rows_in} rows are quarantined {quarantine.first_ones(found, stored=stored)}"
            if found.num_rows == rows_in:
                raise DataProblemError(f"the {name} set has no usable row: {told} Fix them", set=name)
            logger.warning("%s: %s", name, told)
        rows = quarantine.sound_rows(features)
        if not len(rows):
            raise DataProblemError(f"the {name} set has no rows; give a file with at least one", set=name)
        return FeatureSet(
            table=features,
            rows=rows,
            padding=self.processor.padding(),
            masking=self.processor.masking(self.seed),
            blocks=blocks,
        )

    def _split_dev_from_train(self) -> None:
        train, share = self.data["train"], self.processor.dev_split
        assert train is not None
        assert share is not None
        stratify = getattr(self.processor, "dev_stratification", False)
        if callable(stratify):
            self.data["train"], self.data["dev"] = stratify(train, dev_split=share)
            return
        units = Units.of(train)
        strata = self._strata(units, share) if stratify else None
        staying, going = split_rows(units.hashes, share, seed=self.seed, strata=strata)
        self.data["train"], self.data["dev"] = units.rows_of(staying), units.rows_of(going)

    def _strata(self, units: Units, share: float) -> Strata:
        columns = label_strata.label_columns(units, self.processor.tasks, n_parts=round(1 / share))
        if columns is None:
            raise ConfigError("dev_stratification needs labels, and the tasks have none; set it to false")
        return columns

    @property
    def counts(self) -> dict[str, int]:
        """Rows per set."""
        return {name: 0 if rows is None else len(rows) for name, rows in self.data.items()}

    @property
    def tensor_names(self) -> list[str] | None:
        """Names of the tensors in a batch; None while nothing is loaded."""
        filled = [rows for rows in self.data.values() if rows is not None]
        return filled[0].tensor_names if filled else None

    @property
    def loaders(self) -> dict[str, FeatureLoader | None]:
        """Batches of each set: train in the seeded training order, dev and test in file order."""
        return {name: self.get_data_loader(name) for name in SETS}

    def get_data_loader(self, dataset_name: str) -> FeatureLoader | None:
        """Batches of one set as dicts of padded tensors; None where there is no such set.

        Of one set always the same loader: each pass over that of train is the next epoch.
        """
        rows: Any = self.data[_known_set(dataset_name)]
        known = self._loaders.get(dataset_name)
        if rows is None or (known is not None and known.dataset is rows):
            return None if rows is None else known
        self._loaders[dataset_name] = self._new_loader(dataset_name, rows)
        return self._loaders[dataset_name]

    def _new_loader(self, dataset_name: str, rows: Any) -> Any:
        if dataset_name == "train":
            return FeatureLoader(rows, self.batch_size, seed=self.seed)
        return FeatureLoader(rows, self.eval_batch_size)

    def n_samples(self, dataset_name: str) -> int:
        """Rows in train, dev or test."""
        return self.counts[_known_set(dataset_name)]

    def random_split_ConcatDataset(self, ds: Dataset[Any], lengths: Sequence[int]) -> list[Subset[Any]]:  # noqa: N802
        """Non-overlapping parts of these lengths, drawn by the silo's seed; see `farm_ray.data_handler.dataset`."""
        from farm_ray.data_handler.dataset import random_split_ConcatDataset

        return random_split_ConcatDataset(ds, lengths, seed=self.seed)

    def statistics(self) -> dict[str, float]:
        """Rows per set, tokens per training row (`max_seq_len_seen`, `ave_seq_len`), share `clipped`."""
        return statistics.describe(self.data, batch_size=self.batch_size)

    def problem_counts(self) -> dict[str, int]:
        """Rows quarantined by kind of problem; empty when none."""
        return quarantine.counts(self.problems) if self.problems.num_rows else {}

    def keep_problems(self, folder: Path) -> None:
        """From now on the problems lie in this folder; those of an earlier silo there go."""
        self.problems_dir = folder
        if self.problems.num_rows:
            quarantine.store(self.problems, folder)
        else:
            (folder / quarantine.FILE_NAME).unlink(missing_ok=True)

    def quarantine_while_training(self, found: pa.Table | None) -> None:
        """Takes in rows with problems that a stream's reader met; stores all of them in `problems_dir`."""
        if found is None:
            return
        self._problem_tables.append(found)
        self.problems = _concat(self._problem_tables)
        if self.problems_dir is not None:
            quarantine.store(self.problems, self.problems_dir)

    def calculate_class_weights(self, task_name: str, source: str = "train") -> npt.NDArray[np.float32]:
        """Balanced class weights of a task in the order of its label list, float32 [classes].

        Each row counts once for its label, of several labels for each of them; tags count by tokens.

        Args:
            task_name: As given to the processor.
            source: `train`, or `all` for the labels of all three sets.

        Raises:
            ConfigError: When there is no such task or no labels of it, or its labels are numbers.
        """
        if source not in {"train", "all"}:
            raise ConfigError(f'source must be "train" or "all", not "{source}"')
        task = statistics.task_of(self.processor.tasks, task_name)
        if not task.labels.classes:
            raise ConfigError(f'the labels of task "{task_name}" are numbers; only classes can be weighed')
        sets = [self.data["train"]] if source == "train" else list(self.data.values())
        counts = [task.labels.counts(rows, task) for rows in sets if rows is not None]
        if not counts:
            raise ConfigError("class weights are computed from labels, and no train set is loaded")
        return statistics.class_weights(np.sum(counts, axis=0))


def given_sets(**dicts: Any) -> dict[str, list[Any] | None]:
    """The rows by set, of arguments named `train_dicts` and so on; a DataFrame or table gives its rows."""
    return {
        name.removesuffix("_dicts"): None if of_set is None else given_list(of_set, name=name)
        for name, of_set in dicts.items()
    }


def _known_set(name: str) -> str:
    if name not in SETS:
        raise ConfigError(f'no data set "{name}"; there are {", ".join(SETS)}')
    return name


def _concat(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables) if tables else pa.table({})


def _check_numbers(
    batch_size: int, eval_batch_size: int | None, rows_per_task: int, processes: int, share: float
) -> None:
    named = {"batch_size": batch_size, "max_multiprocessing_chunksize": rows_per_task, "max_processes": processes}
    if eval_batch_size is not None:
        named["eval_batch_size"] = eval_batch_size
    for name, value in named.items():
        if not _is_integer(value) or value < 1:
            raise ConfigError(f"{name} must be at least 1, not {value!r}")
    if not isinstance(share, Real) or not 0.0 <= share <= 1.0:
        raise ConfigError(f"max_problem_share is a share between 0 and 1, not {share!r}")


def _is_integer(value: object) -> bool:
    """Numpy's integers are some, too."""
    return isinstance(value, Integral) and not isinstance(value, bool)

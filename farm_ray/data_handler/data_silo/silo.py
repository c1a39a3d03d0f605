"""DataSilo: the train, dev and test features of a run, in memory, ready for any number of workers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray import storage
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.data_silo import label_strata, statistics
from farm_ray.data_handler.data_silo.base import SETS, BaseSilo, given_sets
from farm_ray.data_handler.data_silo.config import DEFAULTS, SiloOptions
from farm_ray.data_handler.data_silo.input_files import input_files, input_path
from farm_ray.data_handler.data_silo.loading import Loading
from farm_ray.data_handler.data_silo.pooling import Units
from farm_ray.data_handler.data_silo.splits import split_rows
from farm_ray.data_handler.file_to_dicts.empty_files import filled_files
from farm_ray.data_handler.order import FeatureLoader
from farm_ray.errors import ConfigError
from farm_ray.options import arguments_checked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch.utils.data import Dataset, Subset

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo.folds import Strata
    from farm_ray.data_handler.data_silo.partial_features import PartialFeatures
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.processor import Processor
    from farm_ray.progress import Progress

logger = logging.getLogger(__name__)


class DataSilo(BaseSilo):
    """Turns the files (or dicts) of a processor into features and keeps them as Arrow tables.

    The options are those of `SiloOptions`.

    Args:
        processor: Brings the three stages; a frozen copy is kept, fitted to the training data, so add tasks before.
        problems_dir: Where `problems.parquet` is written when rows are quarantined; None writes none.
        progress: Called with (stage, rows done, rows in all or None, note).
        parts: Keeps the features of files while they are made, for a run that may be killed; None keeps none.

    Raises:
        ConfigError: When the processor has no task, or the dev split leaves nothing.
        DataProblemError: For missing files and columns, bad rows above `max_problem_share`, or a single class.
    """

    data: dict[str, FeatureSet | None]

    @strict_arguments
    def __init__(
        self,
        processor: Processor,
        batch_size: int,
        eval_batch_size: int | None = DEFAULTS.eval_batch_size,
        distributed: bool = DEFAULTS.distributed,
        automatic_loading: bool = DEFAULTS.automatic_loading,
        max_multiprocessing_chunksize: int = DEFAULTS.max_multiprocessing_chunksize,
        max_processes: int = DEFAULTS.max_processes,
        caching: bool = DEFAULTS.caching,
        cache_path: str | Path = DEFAULTS.cache_path,
        *,
        seed: int = DEFAULTS.seed,
        max_problem_share: float = DEFAULTS.max_problem_share,
        problems_dir: str | Path | None = None,
        progress: Progress | None = None,
        parts: PartialFeatures | None = None,
    ) -> None:
        with arguments_checked():
            options = SiloOptions(
                batch_size=batch_size,
                eval_batch_size=eval_batch_size,
                distributed=distributed,
                max_multiprocessing_chunksize=max_multiprocessing_chunksize,
                max_processes=max_processes,
                seed=seed,
                max_problem_share=max_problem_share,
            )
        super().__init__(processor, options, problems_dir=problems_dir, progress=progress)
        if caching:
            storage.check_lasting(cache_path, hint="give an absolute cache_path=...")
        self.cache_path = storage.local_path(cache_path) if caching else None
        self.max_rows_at_once = options.max_multiprocessing_chunksize
        self._parts = parts
        if automatic_loading:
            self._load_data()

    def _load_data(
        self,
        train_dicts: Sequence[RowDict] | None = None,
        dev_dicts: Sequence[RowDict] | None = None,
        test_dicts: Sequence[RowDict] | None = None,
    ) -> None:
        """Fills the sets from these dicts, and from the processor's files where no dicts are given."""
        given = given_sets(train_dicts=train_dicts, dev_dicts=dev_dicts, test_dicts=test_dicts)
        train_dicts = given["train"]
        self._forget_problems()
        # A missing test file must not cost the time of the training data.
        files = input_files(self.processor, [name for name in SETS if given[name] is None])
        self.processor.check_ready_for_training(input_path(self.processor, "train") if train_dicts is None else None)
        files = {name: filled_files(found, self.processor.read) for name, found in files.items()}
        if train_dicts is not None or "train" in files:
            rows = self._loading().training_rows(train_dicts, files.get("train", ()))
            self.processor = self.processor.fitted_on(rows)
        self.processor.check_labels_known()
        loading = self._loading()
        for name in SETS:
            self.data[name] = self._accept(name, loading.features(given[name], files.get(name), name))
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

    def _loading(self) -> Loading:
        return Loading(
            processor=self.processor,
            seed=self.seed,
            max_processes=self.max_processes,
            rows_at_once=self.max_rows_at_once,
            progress=self.progress,
            cache_path=self.cache_path,
            parts=self._parts,
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
            raise ConfigError(
                "dev_stratification needs labels, and the tasks have none; set it to false",
                code="no-labels-to-stratify",
                option="dev_stratification",
            )
        return columns

    @property
    def tensor_names(self) -> list[str] | None:
        """Names of the tensors in a batch; None while nothing is loaded."""
        filled = [rows for rows in self.data.values() if rows is not None]
        return filled[0].tensor_names if filled else None

    def _new_loader(self, dataset_name: str, rows: FeatureSet) -> FeatureLoader:
        """As `BaseSilo`: train is shuffled by the seed."""
        if dataset_name == "train":
            return FeatureLoader(rows, self.batch_size, seed=self.seed)
        return FeatureLoader(rows, self.eval_batch_size)

    def random_split_ConcatDataset(self, ds: Dataset[object], lengths: Sequence[int]) -> list[Subset[object]]:  # noqa: N802
        """Non-overlapping parts of these lengths, drawn by the silo's seed; see `farm_ray.data_handler.dataset`."""
        from farm_ray.compat.dataset import random_split_ConcatDataset

        return random_split_ConcatDataset(ds, lengths, seed=self.seed)

    def statistics(self) -> dict[str, float]:
        """Rows per set, tokens per training row (`max_seq_len_seen`, `ave_seq_len`), share `clipped`."""
        return statistics.describe(self.data, batch_size=self.batch_size)

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
            raise ConfigError(
                f'source must be "train" or "all", not "{source}"', code="invalid-value", option="source", value=source
            )
        task = statistics.task_of(self.processor.tasks, task_name)
        if not task.labels.classes:
            raise ConfigError(
                f'the labels of task "{task_name}" are numbers; only classes can be weighed',
                code="no-classes",
                task=task_name,
            )
        sets = [self.data["train"]] if source == "train" else list(self.data.values())
        counts = [task.labels.counts(rows, task) for rows in sets if rows is not None]
        if not counts:
            raise ConfigError(
                "class weights are computed from labels, and no train set is loaded",
                code="no-rows-loaded",
                value=source,
            )
        return statistics.class_weights(np.sum(counts, axis=0))

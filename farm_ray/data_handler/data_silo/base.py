"""What all silos have: sets of rows by name, loaders of their batches, and the rows that were quarantined."""

from __future__ import annotations

import abc
import copy
import logging
import warnings
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from farm_ray import farm_methods, storage
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.data_silo import quarantine
from farm_ray.data_handler.given_rows import RowDict, given_list
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.overrides import refuse_uncalled

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from farm_ray.data_handler.data_silo.config import SiloOptions
    from farm_ray.data_handler.data_silo.loading import Made
    from farm_ray.data_handler.processor import Processor
    from farm_ray.progress import Progress

SETS = ("train", "dev", "test")

logger = logging.getLogger(__name__)


class BaseSilo(abc.ABC):
    """The sets of a run under their names; a subclass loads them, and says what a batch of each is.

    Args:
        processor: A frozen copy is kept.
        options: Of the silo.
        problems_dir: Where `problems.parquet` is written when rows are quarantined; None writes none.
        progress: Called with (stage, rows done, rows in all or None, note).
    """

    processor: Processor
    """Frozen, and fitted to the training data."""
    batch_size: int
    eval_batch_size: int
    max_processes: int
    seed: int
    max_problem_share: float
    problems_dir: Path | None
    progress: Progress | None
    data: RowDict
    """The rows of each set; None where there are none."""
    problems: pa.Table
    """The rows that were quarantined: set, id and the fields of their problem."""
    _problem_tables: list[pa.Table]
    _loaders: RowDict

    def __init__(
        self,
        processor: Processor,
        options: SiloOptions,
        *,
        problems_dir: str | Path | None,
        progress: Progress | None,
    ) -> None:
        refuse_uncalled(type(self), farm_methods.DATA_SILO)
        if options.distributed:
            warnings.warn("DataSilo(distributed=True) has no effect: Ray Train knows its workers", stacklevel=3)
        self.processor = processor.frozen()
        self.batch_size = options.batch_size
        self.eval_batch_size = options.eval_batch_size or options.batch_size
        self.max_processes = options.max_processes
        self.seed = options.seed
        self.max_problem_share = options.max_problem_share
        self.problems_dir = None if problems_dir is None else storage.local_path(problems_dir)
        self.progress = progress
        self.clear()

    @abc.abstractmethod
    def _new_loader(self, dataset_name: str, rows: Any) -> Any:
        """The batches of a set."""

    @abc.abstractmethod
    def statistics(self) -> dict[str, float]:
        """Numbers about the sets, for the run's log."""

    @abc.abstractmethod
    def calculate_class_weights(self, task_name: str, source: str = "train") -> npt.NDArray[np.float32]:
        """Balanced class weights of a task in the order of its label list, float32 [classes]."""

    @property
    def counts(self) -> dict[str, int]:
        """Rows per set; of a stream an estimate."""
        return {name: 0 if rows is None else len(rows) for name, rows in self.data.items()}

    @property
    def loaders(self) -> RowDict:
        """Batches of each set: train in the seeded training order, dev and test in file order."""
        return {name: self.get_data_loader(name) for name in SETS}

    def get_data_loader(self, dataset_name: str) -> Any:
        """Batches of one set as dicts of padded tensors; None where there is no such set.

        Of one set always the same loader: each pass over that of train is the next epoch. A stream is read in this
        process, and `len` of its loader is an estimate.
        """
        rows = self.data[_known_set(dataset_name)]
        known = self._loaders.get(dataset_name)
        if rows is None or (known is not None and known.dataset is rows):
            return None if rows is None else known
        self._loaders[dataset_name] = self._new_loader(dataset_name, rows)
        return self._loaders[dataset_name]

    def n_samples(self, dataset_name: str) -> int:
        """Rows in train, dev or test."""
        return self.counts[_known_set(dataset_name)]

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
        self._quarantine(found)
        if self.problems_dir is not None:
            quarantine.store(self.problems, self.problems_dir)

    def emptied(self) -> Self:
        """A copy that travels: processor and settings, without rows, problems and who watches."""
        empty = copy.copy(self)
        empty.clear()
        empty.progress = None
        return empty

    def clear(self) -> None:
        """Forgets rows, loaders and problems."""
        self.data, self._loaders = dict.fromkeys(SETS), {}
        self._forget_problems()

    def _quarantine(self, found: pa.Table) -> None:
        self._problem_tables.append(found)
        self.problems = pa.concat_tables(self._problem_tables)

    def _forget_problems(self) -> None:
        self._problem_tables, self.problems = [], pa.table({})

    def _accept(self, name: str, made: Made | None) -> FeatureSet | None:
        """The usable rows of a set that was loaded; the others are quarantined."""
        if made is None:
            return None
        features, blocks = made
        found = quarantine.table_of(features, set_name=name)
        if found.num_rows:
            self._quarantine(found)
            stored = None if self.problems_dir is None else quarantine.store(self.problems, self.problems_dir)
            rows_in = quarantine.source_rows(features)
            quarantine.refuse(found, rows_in, max_share=self.max_problem_share, stored=stored)
            told = f"{found.num_rows} of {rows_in} rows are quarantined {quarantine.first_ones(found, stored=stored)}"
            if found.num_rows == rows_in:
                raise DataProblemError(
                    f"the {name} set has no usable row: {told} Fix them",
                    code="no-usable-rows",
                    problems=found.num_rows,
                    rows=rows_in,
                    set=name,
                )
            logger.warning("%s: %s", name, told)
        rows = quarantine.sound_rows(features)
        if not len(rows):
            raise DataProblemError(
                f"the {name} set has no rows; give a file with at least one", code="no-rows", set=name
            )
        accepted = FeatureSet(
            table=features,
            rows=rows,
            padding=self.processor.padding(),
            masking=self.processor.masking(self.seed),
            blocks=blocks,
        )
        # A column that nothing names is an error now, not in the first batch.
        _ = accepted.tensors
        return accepted


def given_sets(**dicts: object) -> dict[str, list[RowDict] | None]:
    """The rows by set, of arguments named `train_dicts` and so on; a DataFrame or table gives its rows."""
    return {
        name.removesuffix("_dicts"): None if of_set is None else given_list(of_set, name=name)
        for name, of_set in dicts.items()
    }


def _known_set(name: str) -> str:
    if name not in SETS:
        raise ConfigError(f'no data set "{name}"; there are {", ".join(SETS)}', code="unknown-set", value=name)
    return name

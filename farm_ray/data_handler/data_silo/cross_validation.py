"""Cross-validation and hold-out: silos that share one feature table and differ in which rows are train, dev and test.

Which rows go where follows from the seed, the row ids and the labels alone: not from the order of the rows in the
files, nor from the number of processes. All windows of one source text stay together.
"""

from __future__ import annotations

import logging
from numbers import Integral
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.data_silo import label_strata, statistics
from farm_ray.data_handler.data_silo.base import SETS
from farm_ray.data_handler.data_silo.folds import deal, draws, seed_of
from farm_ray.data_handler.data_silo.pooling import Units, pool
from farm_ray.data_handler.data_silo.silo import DataSilo
from farm_ray.errors import ConfigError, FarmRayError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from farm_ray.data_handler.batches import FeatureSet

    _Parts = tuple[FeatureSet, FeatureSet | None, FeatureSet]

F = TypeVar("F", bound="_FoldSilo")

logger = logging.getLogger(__name__)

_FEWEST_SPLITS = 2
_QUESTION_ANSWERING = frozenset({"SquadProcessor", "NaturalQuestionsProcessor"})


class NestedSplitsError(ConfigError, ValueError):
    """Too few inner splits; a ValueError too, as in FARM."""


class _FoldSilo(DataSilo):
    """A silo made of rows of another one, whose features, processor and settings it shares.

    Args:
        origsilo: The silo the rows come from.
        trainset, devset, testset: Its sets. With `devset=None` dev is cut out of train, by the processor's `dev_split`
            and `dev_stratification`, where the processor asks for one.
        fold: Its number, from 1.
        seed: Of the dev split and of the training order; None takes that of `origsilo`.

    Raises:
        ConfigError: When the dev split leaves nothing.
        DataProblemError: When the training rows have only one class.
    """

    @strict_arguments
    def __init__(
        self,
        origsilo: DataSilo,
        trainset: FeatureSet,
        devset: FeatureSet | None,
        testset: FeatureSet | None,
        *,
        fold: int = 1,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            origsilo.processor,
            origsilo.batch_size,
            origsilo.eval_batch_size,
            automatic_loading=False,
            seed=origsilo.seed if seed is None else seed,
        )
        self.fold = fold
        self.problems = origsilo.problems
        self.data = {"train": trainset, "dev": devset, "test": testset}
        if devset is None and self.processor.dev_split:
            self._split_dev_from_train()
        train = self.data["train"]
        assert train is not None
        statistics.check_label_variety(train, self.processor.tasks)


class DataSiloForCrossVal(_FoldSilo):
    """One fold of a cross-validation; `make` gives all of them."""

    @classmethod
    @strict_arguments
    def make(
        cls,
        datasilo: DataSilo,
        sets: Sequence[str] = SETS,
        n_splits: int = 5,
        shuffle: bool = True,
        random_state: int | None = None,
        stratification: bool = True,
        n_neg_answers_per_question: int = 1,  # noqa: ARG003 - for question answering
        n_inner_splits: int | None = None,
        *,
        stratified: bool | None = None,
    ) -> list[Self]:
        """One silo per fold; the rows of all `sets` together are tested once each (nested: once per inner split).

        Args:
            datasilo: Has the data.
            sets: Which of its sets to use; those it does not have are passed over.
            n_splits: Number of folds.
            shuffle: False cuts the rows in their order, within each label where these are stratified.
            random_state: Seed of the folds, of their dev splits and their training order; None takes the silo's.
            stratification: Whether each label has the same share in every fold: the labels of each task, ten bins of
                numbers, types of entities in a text. Labels too rare for that are told in a warning.
            n_neg_answers_per_question: Ignored; there are no folds of question answering yet.
            n_inner_splits: Nested cross-validation: of each fold's training rows this many inner splits are made, and
                each of them is dev once, so that there are `n_splits * n_inner_splits` silos, those of one test set
                one after the other. None cuts dev out of train as the processor says (`dev_split`).
            stratified: An older name of `stratification`.

        Raises:
            ConfigError: When there are fewer source rows than folds, or on arguments that are invalid.
            NestedSplitsError: When `n_inner_splits` is less than 2.
            DataProblemError: When the training rows of a fold have only one class.
        """
        check_cross_validation(sets, n_splits, n_inner_splits)
        stratify = _flag(stratification if stratified is None else stratified)
        seed, rows = _seed(random_state, datasilo), _all_rows(datasilo, sets)
        if stratify:
            _tell_rare_labels(rows, datasilo, n_splits)
        parts: list[_Parts] = []
        for outer, (train, test) in enumerate(_folds(rows, datasilo, n_splits, stratify, shuffle, seed)):
            if n_inner_splits is None:
                parts.append((train, None, test))
                continue
            inner = _folds(train, datasilo, n_inner_splits, stratify, shuffle, seed_of(seed, outer))
            parts += [(rest, dev, test) for rest, dev in inner]
        return _silos(cls, datasilo, parts, seed)


class DataSiloForHoldout(_FoldSilo):
    """One of several independent splits into train and test; `make` gives all of them."""

    @classmethod
    @strict_arguments
    def make(
        cls,
        datasilo: DataSilo,
        sets: Sequence[str] = SETS,
        n_splits: int = 5,
        train_split: float = 0.80,
        random_state: int | None = None,
        stratification: bool | Callable[..., tuple[FeatureSet, FeatureSet]] = True,
    ) -> list[Self]:
        """`n_splits` silos; in each the rows of all `sets` are shuffled again and cut into train and test.

        Args:
            datasilo: Has the data.
            sets: As for `DataSiloForCrossVal.make`.
            n_splits: Number of silos.
            train_split: Share of the source rows for train; the rest is test. Dev is cut out of train.
            random_state: As for `DataSiloForCrossVal.make`.
            stratification: As for `DataSiloForCrossVal.make`, or a function `(rows, train_split=...)` that returns
                the train and test parts of a `FeatureSet`.

        Raises:
            ConfigError: When train or test would be empty, or on arguments that are invalid.
            DataProblemError: When the training rows of a split have only one class.
        """
        check_holdout(sets, n_splits, train_split)
        seed, rows = _seed(random_state, datasilo), _all_rows(datasilo, sets)
        if callable(stratification):
            halves = [stratification(rows, train_split=train_split) for _ in range(n_splits)]
        else:
            halves = _holdouts(rows, datasilo, n_splits, train_split, _flag(stratification), seed)
        for half in halves:
            for name, part in zip(("train", "test"), half, strict=True):
                if not len(part):
                    raise ConfigError(
                        f"train_split={train_split} of {len(rows)} rows leaves nothing for {name}",
                        code="split-leaves-nothing",
                        option="train_split",
                        set=name,
                        value=train_split,
                        rows=len(rows),
                    )
        return _silos(cls, datasilo, [(train, None, test) for train, test in halves], seed)


def check_cross_validation(sets: Sequence[str], n_splits: int, n_inner_splits: int | None) -> None:
    """Raises ConfigError on arguments that no data can be cross-validated with."""
    _check_sets(sets)
    if n_inner_splits is not None and n_inner_splits < _FEWEST_SPLITS:
        raise NestedSplitsError(
            f"n_inner_splits must be at least {_FEWEST_SPLITS}, not {n_inner_splits}",
            code="too-few-inner-splits",
            option="n_inner_splits",
            value=n_inner_splits,
        )
    if n_splits < _FEWEST_SPLITS:
        raise ConfigError(
            f"n_splits must be at least {_FEWEST_SPLITS}, not {n_splits}; one split is a hold-out",
            code="invalid-value",
            option="n_splits",
            value=n_splits,
        )


def check_holdout(sets: Sequence[str], n_splits: int, train_split: float) -> None:
    """Raises ConfigError on arguments that no data can be split by."""
    _check_sets(sets)
    if n_splits < 1:
        raise ConfigError(
            f"n_splits must be at least 1, not {n_splits}", code="invalid-value", option="n_splits", value=n_splits
        )
    if not 0.0 < train_split < 1.0:
        raise ConfigError(
            f"train_split is a share between 0 and 1, not {train_split}",
            code="invalid-value",
            option="train_split",
            value=train_split,
        )


def _check_sets(sets: Sequence[str]) -> None:
    unknown = [name for name in _names(sets) if name not in SETS]
    if unknown:
        raise ConfigError(
            f'no data set "{unknown[0]}"; there are {", ".join(SETS)}', code="unknown-set", value=unknown[0]
        )


def _names(sets: Sequence[str]) -> list[str]:
    return [sets] if isinstance(sets, str) else list(sets)


def _folds(
    rows: FeatureSet, silo: DataSilo, n_splits: int, stratify: bool, shuffle: bool, seed: int
) -> list[tuple[FeatureSet, FeatureSet]]:
    """The rest and the tested part of each fold."""
    units = Units.of(rows)
    if len(units) < n_splits:
        raise ConfigError(
            f"n_splits={n_splits} needs a source row for each fold, and there are {len(units)}",
            code="more-folds-than-rows",
            value=n_splits,
            rows=len(units),
        )
    order = draws(units.hashes, seed) if shuffle else np.arange(len(units))
    strata = label_strata.label_columns(units, silo.processor.tasks, n_parts=n_splits) if stratify else None
    fold_of_unit = deal(order, [1 / n_splits] * n_splits, strata)
    return [_cut(units, fold_of_unit != fold) for fold in range(n_splits)]


def _holdouts(
    rows: FeatureSet, silo: DataSilo, n_splits: int, train_split: float, stratify: bool, seed: int
) -> list[tuple[FeatureSet, FeatureSet]]:
    """The train and test part of each split."""
    units, shares = Units.of(rows), (train_split, 1 - train_split)
    strata = label_strata.label_columns(units, silo.processor.tasks, n_parts=len(shares)) if stratify else None
    seeds = [seed_of(seed, number) for number in range(n_splits)]
    return [_cut(units, deal(draws(units.hashes, one), shares, strata) == 0) for one in seeds]


def _cut(units: Units, chosen: npt.NDArray[np.bool_]) -> tuple[FeatureSet, FeatureSet]:
    """The rows of the units that a mask [u] chooses, and the other rows."""
    return units.rows_of(np.flatnonzero(chosen)), units.rows_of(np.flatnonzero(~chosen))


def _tell_rare_labels(rows: FeatureSet, silo: DataSilo, n_splits: int) -> None:
    for warning in label_strata.rare_labels(Units.of(rows), silo.processor.tasks, n_parts=n_splits):
        logger.warning(warning)


def _silos(kind: type[F], silo: DataSilo, parts: Sequence[_Parts], seed: int) -> list[F]:
    """A silo per train, dev and test part; each has a seed of its own."""
    made = []
    for number, (train, dev, test) in enumerate(parts, start=1):
        try:
            made.append(kind(silo, train, dev, test, fold=number, seed=seed_of(seed, number)))
        except FarmRayError as error:
            raise error.reworded(f"fold {number} of {len(parts)}: {error}", fold=number) from None
    return made


def _all_rows(silo: DataSilo, sets: Sequence[str]) -> FeatureSet:
    _refuse_question_answering(silo)
    names = _names(sets)
    filled = [rows for rows in (silo.data[name] for name in SETS if name in names) if rows is not None]
    if not filled:
        raise ConfigError(
            f"the silo has no rows in sets={names}; load its data first, or name other sets",
            code="no-rows-loaded",
            value=names,
        )
    if not all(rows.loaded for rows in filled):
        raise ConfigError(
            "a stream has no folds, as its rows are not known; make them of a DataSilo", code="stream-has-no-folds"
        )
    return pool(filled)


def _refuse_question_answering(silo: DataSilo) -> None:
    classes = {kind.__name__ for kind in type(silo.processor).__mro__}
    types = {task.get("task_type") for task in silo.processor.tasks.values()}
    if classes & _QUESTION_ANSWERING or "question_answering" in types:
        raise ConfigError(
            "question answering has no cross-validation and no hold-out yet; split its files yourself",
            code="not-available-yet",
            value="question_answering",
        )


def _seed(random_state: int | None, silo: DataSilo) -> int:
    if random_state is None:
        return silo.seed
    if isinstance(random_state, bool) or not isinstance(random_state, Integral):
        raise ConfigError(
            f"random_state is a whole number or None, not {random_state!r}",
            code="invalid-value",
            option="random_state",
            value=random_state,
        )
    return int(random_state)


def _flag(stratification: object) -> bool:
    if not isinstance(stratification, bool):
        raise ConfigError(
            f"stratification is True or False, not {stratification!r}",
            code="invalid-value",
            option="stratification",
            value=stratification,
        )
    return stratification

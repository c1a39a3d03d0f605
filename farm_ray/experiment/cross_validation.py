"""An experiment under cross-validation or hold-out: how well its models do on rows they have not seen."""

from __future__ import annotations

import copy
import functools
import json
import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from farm_ray import cluster, storage
from farm_ray.data_handler.data_silo import DataSiloForCrossVal, DataSiloForHoldout
from farm_ray.data_handler.data_silo.base import SETS
from farm_ray.data_handler.data_silo.cross_validation import check_cross_validation, check_holdout
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.experiment import folder as folders
from farm_ray.experiment.assemble import check_experiment, make_silo_in_memory, prepare_data, refuse_stream
from farm_ray.experiment.heads import make_model
from farm_ray.experiment.initial_model import load_pretrained
from farm_ray.experiment.run import check_device, early_stopping
from farm_ray.foreign import read_json, shown
from farm_ray.options import fields_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.experiment.config import Experiment
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.plain import PlainDict
    from farm_ray.progress import Progress
    from farm_ray.train.fold_results import CrossValidation


logger = logging.getLogger(__name__)


def cross_validate_experiment(
    experiment: Experiment,
    *,
    n_splits: int = 5,
    n_inner_splits: int | None = None,
    train_split: float | None = None,
    sets: Sequence[str] = SETS,
    stratification: bool = True,
    random_state: int | None = None,
    parallel: int | None = None,
    threads: int | None = None,
    use_gpu: bool = False,
    bootstrap_samples: int = 1000,
    output_dir: str | Path | None = None,
    address: str | None = None,
    progress: Progress | None = None,
) -> PlainDict:
    """Makes the features once, then trains and tests a model per fold.

    Writes `cross_validation.json` (what is returned, and the text reports), `predictions.parquet` (of all test rows)
    and `experiment.yaml` to `output_dir`. Models are not kept.

    Args:
        experiment: What to run.
        n_splits: Folds, or hold-out splits.
        n_inner_splits: As for `DataSiloForCrossVal.make`.
        train_split: Hold-out splits with this share of the rows for training, in place of folds.
        sets: The experiment's sets whose rows are split again, those that there are.
        stratification: Whether labels keep their shares in every fold.
        random_state: Seed of the folds; None is the experiment's.
        parallel: Folds at once on Ray; 1 does everything in this process, without Ray. None: as many as fit.
        threads: As for `farm_ray.train.cross_validation.cross_validate`.
        use_gpu: One GPU per fold.
        bootstrap_samples: Resamples for the intervals of the pooled metrics; 0 makes none.
        output_dir: Folder for the results; None is that of a run (the experiment's own, or
            `runs/<name>`) with `-folds` behind it.
        address: As for `farm_ray.cluster.connect`.
        progress: Called with (stage, done, total or None, note).

    Returns:
        `metrics`: by set the mean and standard deviation over the folds, `pooled`: metrics over all test predictions
        with a 95 % interval, `folds`: what each came to, `rows` tested, `steps`, `seconds`, `problems`,
        `predictions` and `output_dir`. Values are flat for one task, by task name for several.

    Raises:
        ConfigError: On settings that are invalid, too few rows for the folds, or a folder with the results of
            another run or of other folds.
        DataProblemError: On data that cannot be used.
        ModelFolderError: On a model that cannot be read.
        ClusterError: On a cluster that cannot be reached, or that lost a fold.
    """
    from farm_ray.train.cross_validation import cross_validate
    from farm_ray.train.folds_on_ray import check_gpus

    check_experiment(experiment)
    output = folders.output_path(output_dir, f"{experiment.output_dir or Path('runs') / experiment.name}-folds")
    refuse_stream(experiment, "folds")
    if train_split is None:
        check_cross_validation(sets, n_splits, n_inner_splits)
    elif n_inner_splits is None:
        check_holdout(sets, n_splits, train_split)
    else:
        raise ConfigError(
            "train_split makes hold-out splits, which are not nested; leave n_inner_splits out",
            code="conflicting-options",
            option="train_split",
        )
    check_device(experiment.train.use_amp, num_workers=0 if parallel == 1 else 1, use_gpu=use_gpu)
    how: PlainDict = {"n_splits": n_splits, "random_state": random_state, "stratification": stratification}
    split = how | {"n_inner_splits": n_inner_splits, "train_split": train_split, "sets": list(sets)}
    with folders.output_folder(output, experiment) as target:
        _refuse_other_split(output, split)
        processor, language_model = load_pretrained(experiment)
        if parallel != 1:
            cluster.connect(address)
            if use_gpu:
                check_gpus(parallel or 1)
        started = time.perf_counter()
        prepare_data(experiment)
        silo = make_silo_in_memory(
            experiment, processor, in_process=parallel == 1, problems_dir=target.problems_dir, progress=progress
        )
        folds: Sequence[DataSilo]
        if train_split is None:
            folds = DataSiloForCrossVal.make(silo, sets, n_inner_splits=n_inner_splits, **how)
        else:
            folds = DataSiloForHoldout.make(silo, sets, train_split=train_split, **how)
        split_at = time.perf_counter()
        done = cross_validate(
            folds,
            functools.partial(_fresh_model, experiment, language_model),
            parallel=parallel,
            threads=threads,
            use_gpu=use_gpu,
            early_stopping=early_stopping(experiment),
            bootstrap_samples=bootstrap_samples,
            progress=progress,
            **_trainer_options(experiment),
        )
        seconds = {"preprocess": split_at - started, "folds": time.perf_counter() - split_at}
        told = _told(done) | {
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
            "problems": silo.problem_counts(),
            "predictions": str(output / folders.PREDICTIONS),
            "output_dir": str(output),
        }
        target.accept(experiment)
        silo.keep_problems(output)
        _save(output, done, told | {"split": split})
    return told


def _trainer_options(experiment: Experiment) -> PlainDict:
    """What `cross_validate` hands on to the trainer of each fold."""
    from farm_ray.train.cross_validation import NOT_FOR_FOLDS
    from farm_ray.train.trainer import Trainer

    options = fields_for(Trainer, experiment.train) | {"seed": experiment.seed}
    return {name: value for name, value in options.items() if name not in {*NOT_FOR_FOLDS, "early_stopping"}}


def _refuse_other_split(output: Path, split: Mapping[str, object]) -> None:
    """Raises ConfigError where the folder holds results of other folds; names what differs."""
    try:
        there = read_json(output / folders.FOLDS).get("split")
    except ModelFolderError:
        return
    if not isinstance(there, dict):
        return
    found = [name for name in split if there.get(name) != split[name]]
    if found:
        told = ", ".join(f"{name} is {shown(there.get(name))} there and {shown(split[name])} here" for name in found)
        raise ConfigError(
            f"the output folder {output} holds another cross-validation ({told}); give another --output-dir, or remove "
            "the folder",
            code="folder-of-other-run",
            differing=found,
            file=str(output),
        )


def _fresh_model(experiment: Experiment, language_model: LanguageModel, silo: DataSilo) -> AdaptiveModel:
    """The experiment's model for one fold; class weights are those of the fold's training rows."""
    return make_model(experiment, silo, copy.deepcopy(language_model))


def _told(done: CrossValidation) -> PlainDict:
    from farm_ray.train.fold_results import numbers_per_task

    folds = []
    for fold in done.folds:
        results = {"dev": fold.dev, "test": fold.test}
        metrics = {name: _flat(numbers_per_task(heads)) for name, heads in results.items() if heads is not None}
        facts = {"rows": fold.rows, "steps": fold.steps, "order_hash": fold.order_hash}
        folds.append({"fold": fold.fold, "metrics": metrics, **facts, "seconds": round(fold.seconds, 3)})
    spreads = {
        name: _flat(
            {task: {value: spread._asdict() for value, spread in values.items()} for task, values in tasks.items()}
        )
        for name, tasks in done.metrics.items()
    }
    return {
        "metrics": spreads,
        "pooled": _flat(
            {task: _with_interval(values, done.intervals.get(task, {})) for task, values in done.pooled.items()}
        ),
        "folds": folds,
        "rows": done.predictions.num_rows,
        "steps": sum(fold.steps for fold in done.folds),
    }


def _with_interval(
    values: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]
) -> dict[str, dict[str, float]]:
    ends = {name: dict(zip(("low", "high"), interval, strict=True)) for name, interval in intervals.items()}
    return {name: {"value": value, **ends.get(name, {})} for name, value in values.items()}


def _flat(per_task: Mapping[str, object]) -> object:
    """The one task's part, or all by name."""
    return next(iter(per_task.values())) if len(per_task) == 1 else dict(per_task)


def _save(target: Path, done: CrossValidation, told: Mapping[str, object]) -> None:
    reports = [{str(head["task_name"]): head.get("report") for head in fold.test} for fold in done.folds]
    facts = {**told, "reports": {"pooled": done.reports, "folds": reports}}
    with storage.open_output(target / folders.PREDICTIONS) as out:
        pq.write_table(done.predictions, out, compression="zstd")
    with storage.open_output(target / folders.FOLDS) as out:
        out.write((json.dumps(_without_nan(facts), indent=2) + "\n").encode())
    logger.info("results of %d folds: %s", len(done.folds), target / folders.FOLDS)


def _without_nan(value: object) -> object:
    """JSON has no NaN."""
    if isinstance(value, Mapping):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

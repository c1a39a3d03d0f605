"""Trains and tests a model per fold: one after the other in this process, or at once on Ray, with the same numbers."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.train.fold_results import CrossValidation, gathered
from farm_ray.train.folds_on_ray import run_folds_on_ray
from farm_ray.train.one_fold import FoldPlan, MakeModel, Steps, fold_trainer, named_after, run_fold
from farm_ray.train.options import DEFAULTS
from farm_ray.train.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.progress import Progress
    from farm_ray.train.fold_results import FoldResult
    from farm_ray.train.stopper import Stopper

NOT_FOR_FOLDS = frozenset(
    {
        "model",
        "data_silo",
        "optimizer",
        "lr_schedule",
        "num_workers",
        "checkpoint_every",
        "checkpoint_every_seconds",
        "checkpoint_root_dir",
        "checkpoints_to_keep",
        "checkpoint_on_sigterm",
        "evaluator_test",
        "resume",
        "tracker",
        "progress",
    }
)
"""Arguments of `Trainer` that belong to one run, or that are settled here."""


def cross_validate(
    folds: Sequence[DataSilo],
    make_model: MakeModel,
    *,
    parallel: int | None = None,
    threads: int | None = None,
    use_gpu: bool = False,
    early_stopping: Stopper | None = None,
    bootstrap_samples: int = 1000,
    confidence: float = 0.95,
    progress: Progress | None = None,
    **trainer_options: object,
) -> CrossValidation:
    """Trains a model of its own for each fold, on its train set, and tests it on its test set.

    Folds do not know of each other, so it does not matter where and in which order they are trained: the same rows
    make the same steps, from the same fresh weights. With the same `threads` all numbers are the same. With others
    float32 sums are added up in another order: losses differ from the fifth digit or so on, and a prediction may tip
    over where two labels are about equally likely.

    On Ray the features lie in the object store once for all folds of a machine.

    Args:
        folds: From `DataSiloForCrossVal.make` or `DataSiloForHoldout.make`.
        make_model: Gives a new model for a fold's silo, each time it is called; the random numbers it draws for fresh
            weights are seeded. Cross-validation on Ray pickles it, with what it holds.
        parallel: Folds at once, each in a process of its own on Ray; 1 trains all of them in this process, without
            Ray. None takes as many as there are cores (with `use_gpu`: GPUs), or fewer where memory is short.
        threads: Torch threads of each fold; None shares the cores among the folds at once.
        use_gpu: One GPU per fold.
        early_stopping: Watches the dev results of a fold; each has a copy.
        bootstrap_samples: Resamples for the intervals of the pooled metrics; 0 makes none.
        confidence: Of these intervals.
        progress: Called with (stage, optimizer steps done in all folds, steps in all, note).
        **trainer_options: Further arguments of `Trainer`, such as `epochs` and `learning_rate`.

    Raises:
        TypeError: On an option that `Trainer` does not have; the nearest is named.
        ConfigError: On options that are invalid.
        FarmRayError: What a fold raised, with its own type; the message names the fold.
        ClusterError: When Ray lost a fold.
    """
    _check(folds, parallel=parallel, threads=threads, early_stopping=early_stopping, options=trainer_options)
    plan = FoldPlan(
        trainer_options=trainer_options,
        early_stopping=early_stopping,
        use_gpu=use_gpu,
        n_folds=len(folds),
    )
    heads, weights = _tried(plan, folds[0], make_model)
    steps = Steps(folds, trainer_options, progress)
    if parallel == 1:
        with _torch_threads(threads):
            done = [_run_here(plan, make_model, silo, number, steps) for number, silo in enumerate(folds, start=1)]
    else:
        done = run_folds_on_ray(
            plan, make_model, folds, parallel=parallel, threads=threads, weights=weights, steps=steps
        )
    return gathered(
        done,
        heads,
        tested_once=_tested_once(folds),
        report=bool(trainer_options.get("eval_report", DEFAULTS.eval_report)),
        bootstrap_samples=bootstrap_samples,
        confidence=confidence,
    )


def _run_here(plan: FoldPlan, make_model: MakeModel, silo: DataSilo, number: int, steps: Steps) -> FoldResult:
    with named_after(number, plan.n_folds):
        return run_fold(fold_trainer(plan, make_model, silo, steps.of_fold(number)), number)


def _tried(plan: FoldPlan, silo: DataSilo, make_model: MakeModel) -> tuple[list[PredictionHead], int]:
    """The heads of one fold's model, and its number of weights; finds mistakes before Ray starts and rows are used."""
    model = fold_trainer(plan, make_model, silo).model
    model.connect_heads_with_processor(silo.processor.tasks)
    return list(model.prediction_heads), sum(weight.numel() for weight in model.parameters())


def _check(
    folds: Sequence[DataSilo],
    *,
    parallel: int | None,
    threads: int | None,
    early_stopping: Stopper | None,
    options: Mapping[str, object],
) -> None:
    known = set(inspect.signature(Trainer.__init__).parameters) - NOT_FOR_FOLDS - {"self"}
    for name in options:
        if name not in known:
            raise TypeError(f'cross_validate has no argument "{name}"{nearest(name, known)}')
    if not folds:
        raise ConfigError("there are no folds; make some with DataSiloForCrossVal.make(silo)", code="no-folds")
    lacking = [number for number, silo in enumerate(folds) if silo.data["train"] is None or silo.data["test"] is None]
    if lacking:
        raise ConfigError(
            f"fold {lacking[0] + 1} has no train or no test set; make folds with DataSiloForCrossVal.make",
            code="incomplete-fold",
            value=lacking[0] + 1,
        )
    if any(silo.processor is not folds[0].processor for silo in folds):
        raise ConfigError(
            "the folds have different processors; make them of one silo with DataSiloForCrossVal.make",
            code="folds-of-several-silos",
        )
    for name, value in {"parallel": parallel, "threads": threads}.items():
        if value is not None and value < 1:
            raise ConfigError(f"{name} must be at least 1, not {value}", code="invalid-value", option=name, value=value)
    if getattr(early_stopping, "save_dir", None) is not None:
        raise ConfigError(
            "early_stopping.save_dir is one folder, and every fold would write to it; leave it out",
            code="one-folder-for-all",
            option="early_stopping.save_dir",
        )


def _tested_once(folds: Sequence[DataSilo]) -> bool:
    """Whether no row is tested in two folds."""
    tested: dict[int, list[Any]] = {}
    for silo in folds:
        rows = silo.data["test"]
        assert rows is not None
        tested.setdefault(id(rows.table), []).append(rows.rows)
    positions = [np.concatenate(parts) for parts in tested.values()]
    return all(len(np.unique(places)) == len(places) for places in positions)


@contextlib.contextmanager
def _torch_threads(threads: int | None) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads or before)
        yield
    finally:
        torch.set_num_threads(before)

"""Trains and tests a model per fold: one after the other in this process, or at once on Ray, with the same numbers."""

from __future__ import annotations

import contextlib
import copy
import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError, FarmRayError
from farm_ray.train.fold_results import CrossValidation, FoldResult, gathered
from farm_ray.train.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.prediction_head import PredictionHead

Progress = Callable[[str, int, int | None, str], None]
MakeModel = Callable[["DataSilo"], "AdaptiveModel"]

_NOT_FOR_FOLDS = frozenset(
    {
        "model",
        "data_silo",
        "optimizer",
        "lr_schedule",
        "num_workers",
        "checkpoint_every",
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


@dataclass(frozen=True, kw_only=True)
class FoldPlan:
    """How all folds are trained. Travels to the processes that do it."""

    trainer_options: dict[str, Any]
    early_stopping: Any
    use_gpu: bool
    n_folds: int


def cross_validate(
    folds: Sequence[DataSilo],
    make_model: MakeModel,
    *,
    parallel: int | None = None,
    threads: int | None = None,
    use_gpu: bool = False,
    early_stopping: Any = None,
    bootstrap_samples: int = 1000,
    confidence: float = 0.95,
    progress: Progress | None = None,
    **trainer_options: Any,
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
        ConfigError: On options that cannot be meant.
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
        from farm_ray.train.folds_on_ray import run_folds_on_ray

        done = run_folds_on_ray(
            plan, make_model, folds, parallel=parallel, threads=threads, weights=weights, steps=steps
        )
    return gathered(
        done,
        heads,
        tested_once=_tested_once(folds),
        report=bool(trainer_options.get("eval_report", True)),
        bootstrap_samples=bootstrap_samples,
        confidence=confidence,
    )


def fold_trainer(plan: FoldPlan, make_model: MakeModel, silo: DataSilo, progress: Progress | None = None) -> Trainer:
    """What trains a fold, with a model of its own, in the process that it is called in."""
    from farm_ray.reproducibility import set_all_seeds

    set_all_seeds(plan.trainer_options.get("seed", 42))
    return Trainer(
        model=make_model(silo),
        data_silo=silo,
        num_workers=0,
        use_gpu=plan.use_gpu,
        early_stopping=copy.deepcopy(plan.early_stopping),
        # The job ends with all its folds; Trainer would only end the fold it is in.
        checkpoint_on_sigterm=False,
        evaluator_test=False,
        progress=progress,
        **plan.trainer_options,
    )


def run_fold(trainer: Trainer, number: int) -> FoldResult:
    """Trains and tests one fold in this process."""
    started = time.perf_counter()
    test, ids = _tested(trainer, trainer.train())
    columns = {name: [head.pop(name) for head in test] for name in ("preds", "labels")}
    return FoldResult(
        fold=number,
        rows=trainer.data_silo.counts,
        dev=trainer.result.dev,
        test=test,
        steps=trainer.result.steps,
        order_hash=trainer.result.order_hash,
        seconds=time.perf_counter() - started,
        ids=ids,
        predictions=columns["preds"],
        labels=columns["labels"],
    )


@contextlib.contextmanager
def named_after(number: int, n_folds: int) -> Iterator[None]:
    """Errors inside say which fold they are from; folds are counted from 1."""
    try:
        yield
    except FarmRayError as error:
        if "fold" in error.facts:
            raise
        raise type(error)(f"fold {number} of {n_folds}: {error}", **error.facts, fold=number) from error
    except Exception as error:
        error.add_note(f"This was in fold {number} of {n_folds}.")
        raise


class Steps:
    """Optimizer steps done in each fold, told as one number."""

    def __init__(self, folds: Sequence[DataSilo], options: dict[str, Any], progress: Progress | None) -> None:
        epochs, window = options.get("epochs", 1), options.get("grad_acc_steps", 1)
        batches = [math.ceil(silo.n_samples("train") / silo.batch_size) for silo in folds]
        self._planned = {fold: epochs * math.ceil(n / window) for fold, n in enumerate(batches, start=1)}
        self._done: dict[int, int] = {}
        self._progress = progress

    def of_fold(self, fold: int) -> Progress:
        """The `progress` of a fold that is trained in this process, after all those before it."""

        def tell(stage: str, done: int, _total: int | None, note: str) -> None:
            if stage == "train":
                # An early stop makes fewer steps than were planned.
                before = {number: steps for number, steps in self._planned.items() if number < fold}
                self.tell({**before, fold: done}, f"fold {fold} of {len(self._planned)}, {note}")

        return tell

    def tell(self, done: dict[int, int], note: str) -> None:
        """Takes in the steps done in some folds."""
        self._done |= done
        if self._progress is not None:
            self._progress("train", sum(self._done.values()), sum(self._planned.values()), note)


def _run_here(plan: FoldPlan, make_model: MakeModel, silo: DataSilo, number: int, steps: Steps) -> FoldResult:
    with named_after(number, plan.n_folds):
        return run_fold(fold_trainer(plan, make_model, silo, steps.of_fold(number)), number)


def _tried(plan: FoldPlan, silo: DataSilo, make_model: MakeModel) -> tuple[list[PredictionHead], int]:
    """The heads of one fold's model, and its number of weights; finds mistakes before Ray starts and rows are used."""
    model = fold_trainer(plan, make_model, silo).model
    model.connect_heads_with_processor(silo.processor.tasks)
    return list(model.prediction_heads), sum(weight.numel() for weight in model.parameters())  # type: ignore[arg-type]


def _tested(trainer: Trainer, model: AdaptiveModel) -> tuple[list[dict[str, Any]], list[str]]:
    """The test results with predictions and labels, and the ids of the source rows these are for."""
    from farm_ray.eval import evaluate
    from farm_ray.modeling.optimization.precision import Precision
    from farm_ray.ranks import Ranks

    rows = trainer.data_silo.data["test"]
    assert rows is not None, "checked before the first fold"
    device = trainer.device
    results = evaluate(
        model,
        rows,
        batch_size=trainer.settings.eval_batch_size,
        ranks=Ranks(device=device),
        precision=Precision.resolve(trainer.settings.use_amp, device),
        report=trainer.settings.eval_report,
        with_columns=True,
    )
    return results, _source_ids(rows)


def _source_ids(rows: Any) -> list[str]:
    """The ids of the source rows: those of the dicts where a row is a window of one."""
    groups = rows.groups()
    if groups is None:
        return rows.ids()
    first_rows = np.unique(groups, return_index=True)[1]
    return rows.table.column("dict_id").take(rows.rows[np.sort(first_rows)]).to_pylist()


def _check(
    folds: Sequence[DataSilo],
    *,
    parallel: int | None,
    threads: int | None,
    early_stopping: Any,
    options: dict[str, Any],
) -> None:
    known = set(inspect.signature(Trainer.__init__).parameters) - _NOT_FOR_FOLDS - {"self"}
    for name in options:
        if name not in known:
            raise TypeError(f'cross_validate has no argument "{name}"{nearest(name, known)}')
    if not folds:
        raise ConfigError("there are no folds; make some with DataSiloForCrossVal.make(silo)")
    lacking = [number for number, silo in enumerate(folds) if silo.data["train"] is None or silo.data["test"] is None]
    if lacking:
        raise ConfigError(
            f"fold {lacking[0] + 1} has no train or no test set; make folds with DataSiloForCrossVal.make"
        )
    if any(silo.processor is not folds[0].processor for silo in folds):
        raise ConfigError("the folds have different processors; make them of one silo with DataSiloForCrossVal.make")
    for name, value in {"parallel": parallel, "threads": threads}.items():
        if value is not None and value < 1:
            raise ConfigError(f"{name} must be at least 1, not {value}")
    if getattr(early_stopping, "save_dir", None) is not None:
        raise ConfigError("early_stopping.save_dir is one folder, and every fold would write to it; leave it out")


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

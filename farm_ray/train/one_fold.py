"""One fold of a cross-validation: its trainer, its result, and its share of the progress."""

from __future__ import annotations

import contextlib
import copy
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from farm_ray.errors import FarmRayError
from farm_ray.train.fold_results import FoldResult
from farm_ray.train.options import DEFAULTS
from farm_ray.train.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.evaluation.results import HeadResult
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.plain import PlainDict
    from farm_ray.progress import Progress
    from farm_ray.train.stopper import Stopper


class MakeModel(Protocol):
    """What makes the untrained model of a fold."""

    def __call__(self, silo: DataSilo, /) -> AdaptiveModel:
        """A new model for the data of `silo`."""


@dataclass(frozen=True, kw_only=True)
class FoldPlan:
    """How all folds are trained. Travels to the processes that do it."""

    trainer_options: PlainDict
    early_stopping: Stopper | None
    use_gpu: bool
    n_folds: int


def fold_trainer(plan: FoldPlan, make_model: MakeModel, silo: DataSilo, progress: Progress | None = None) -> Trainer:
    """What trains a fold, with a model of its own, in the process that it is called in."""
    from farm_ray.reproducibility import set_all_seeds

    set_all_seeds(plan.trainer_options.get("seed", DEFAULTS.seed))
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
        raise error.reworded(f"fold {number} of {n_folds}: {error}", fold=number) from error
    except Exception as error:
        error.add_note(f"This was in fold {number} of {n_folds}.")
        raise


class Steps:
    """Optimizer steps done in each fold, told as one number."""

    def __init__(self, folds: Sequence[DataSilo], options: PlainDict, progress: Progress | None) -> None:
        epochs = options.get("epochs", DEFAULTS.epochs)
        window = options.get("grad_acc_steps", DEFAULTS.grad_acc_steps)
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


def _tested(trainer: Trainer, model: AdaptiveModel) -> tuple[list[HeadResult], list[str]]:
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


def _source_ids(rows: FeatureSet) -> list[str]:
    """The ids of the source rows: those of the dicts where a row is a window of one."""
    groups = rows.groups()
    if groups is None:
        return rows.ids()
    first_rows = np.unique(groups, return_index=True)[1]
    ids: list[str] = rows.table.column("dict_id").take(rows.rows[np.sort(first_rows)]).to_pylist()
    return ids

"""Folds at once: one Ray task per fold, each with its share of the cores, all on one copy of the features."""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from farm_ray import cluster
from farm_ray.data_handler.columns import joined
from farm_ray.errors import ClusterError
from farm_ray.registrations import Registrations
from farm_ray.train.one_fold import FoldPlan, MakeModel, Steps, fold_trainer, named_after, run_fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from ray import ObjectRef
    from ray.actor import ActorHandle

    from farm_ray.data_handler.batches import SentRows
    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.progress import Progress
    from farm_ray.train.fold_results import FoldResult

logger = logging.getLogger(__name__)

_FOLD_CPUS = 0.25
"""Logical CPUs of a fold on one machine: how many run at once is counted here, and others may hold the rest."""
_BYTES_PER_WEIGHT = 20
"""The weight, its gradient and two numbers of the optimizer, four bytes each, and as much again for activations."""
_BYTES_PER_PROCESS = 700 << 20
_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_FOR_AN_ANSWER = 5.0


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """What every fold gets."""

    plan: FoldPlan
    make_model: MakeModel
    silo: DataSilo
    """Without data."""
    tables: dict[str, list[Any]]
    """References to the chunks of each feature table, by the name that its sets know it by."""
    registered: Registrations
    """Metrics and reports of the user's own: each process has its own register."""
    threads: int
    board: ActorHandle[RunStatusActor]


@dataclass(frozen=True, kw_only=True)
class _Fold:
    """What one fold gets."""

    number: int
    """From 1."""
    settings: dict[str, int]
    """The silo's own numbers: seed, batch sizes and the like."""
    sets: dict[str, SentRows]
    """By name."""


class _Tables:
    """The `Carrier` of the folds: each distinct table as references to its chunks in the object store."""

    elastic = False

    def __init__(self) -> None:
        self.chunks: dict[str, list[object]] = {}

    def put(self, set_name: str, table: pa.Table, blocks: tuple[object, ...]) -> str:  # noqa: ARG002 - folds share tables
        """As `Carrier.put`."""
        import ray

        name = str(id(table))
        if name not in self.chunks:
            self.chunks[name] = list(blocks) or [ray.put(table)]
        return name


class RunStatusActor:
    """An actor's state: the steps that each fold has done."""

    def __init__(self) -> None:
        self._done: dict[int, int] = {}

    def post(self, fold: int, done: int) -> None:
        """Takes news of a fold."""
        self._done[fold] = done

    def read(self) -> dict[int, int]:
        """Steps by fold."""
        return self._done


def run_folds_on_ray(
    plan: FoldPlan,
    make_model: MakeModel,
    folds: Sequence[DataSilo],
    *,
    parallel: int | None,
    threads: int | None,
    weights: int,
    steps: Steps,
) -> list[FoldResult]:
    """The results of `run_fold` for every fold, in order; when one fails, the others are ended.

    Args:
        plan: How all are trained.
        make_model: As for `cross_validate`.
        folds: Their silos.
        parallel: As for `cross_validate`.
        threads: As for `cross_validate`.
        weights: Weights of a model, for the memory a fold takes.
        steps: Hears of progress.
    """
    import ray

    cluster.connect()
    at_once = _at_once(parallel, len(folds), use_gpu=plan.use_gpu, weights=weights)
    share = threads or max(1, cluster.all_cores() // at_once)
    logger.info("%d folds, %d at once with %d torch threads each", len(folds), at_once, share)
    tables = _Tables()
    waiting = [_sent(number, silo, tables) for number, silo in enumerate(folds, start=1)]
    board = cast("ActorHandle[RunStatusActor]", ray.remote(RunStatusActor).options(num_cpus=0).remote())
    shared = ray.put(
        _Shared(
            plan=plan,
            make_model=make_model,
            silo=folds[0].emptied(),
            tables=tables.chunks,
            registered=Registrations.of_this_process(),
            threads=share,
            board=board,
        )
    )
    task: Any = ray.remote(_run_in_worker).options(
        num_cpus=_logical_cpus(share), num_gpus=int(plan.use_gpu), max_retries=0, scheduling_strategy="SPREAD"
    )
    running: dict[ObjectRef[FoldResult], int] = {}
    done: dict[int, FoldResult] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                fold = waiting.pop(0)
                running[task.remote([shared], fold)] = fold.number
            ready, _ = ray.wait(list(running), timeout=_SECONDS_BETWEEN_LOOKS)
            for reference in ready:
                number = running.pop(reference)
                done[number] = _result(reference, number, len(folds))
            steps.tell(_read(board), f"{len(done)} of {len(folds)} folds done")
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
        ray.kill(board)
    return [done[number] for number in sorted(done)]


def check_gpus(at_once: int) -> None:
    """Raises ClusterError when a local Ray has not a GPU for each of so many folds; other clusters may still grow."""
    import ray

    gpus = int(ray.cluster_resources().get("GPU", 0))
    if gpus < at_once and cluster.is_local():
        raise ClusterError(
            f"{at_once} folds at once with a GPU each were asked for, and there are {gpus} GPUs; give a smaller "
            "parallel=..., or leave out use_gpu",
            code="too-few-gpus",
            value=gpus,
        )


def _at_once(wanted: int | None, folds: int, *, use_gpu: bool, weights: int) -> int:
    """How many folds run at once.

    Raises:
        ClusterError: When a local Ray has not as many GPUs.
    """
    import ray

    resources = ray.cluster_resources()
    if use_gpu:
        at_once = max(1, min(folds, wanted or int(resources.get("GPU", 0))))
        check_gpus(at_once)
        return at_once
    if wanted is not None:
        return min(folds, wanted)
    fitting = int(resources.get("memory", 0) // (weights * _BYTES_PER_WEIGHT + _BYTES_PER_PROCESS))
    at_once = max(1, min(folds, cluster.all_cores(), fitting))
    if fitting < min(folds, cluster.all_cores()):
        logger.info("there is memory for about %d folds at once", at_once)
    return at_once


def _logical_cpus(share: int) -> float:
    """What Ray books for a fold: on several machines its threads, which spreads the folds over them."""
    import ray

    machines = [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]]
    return _FOLD_CPUS if len(machines) == 1 else min([float(share), *(cpus for cpus in machines if cpus >= 1)])


def _sent(number: int, silo: DataSilo, tables: _Tables) -> _Fold:
    """A fold as it travels to its task."""
    sets = {name: rows.sent(name, tables) for name, rows in silo.data.items() if rows is not None}
    settings = {name: value for name, value in vars(silo).items() if isinstance(value, int)}
    return _Fold(number=number, settings=settings, sets=sets)


def _run_in_worker(shared_reference: list[Any], fold: _Fold) -> FoldResult:
    """The task: one fold in a process of its own."""
    import ray
    import torch

    shared: _Shared = ray.get(shared_reference[0])
    shared.registered.register()
    torch.set_num_threads(shared.threads)
    with named_after(fold.number, shared.plan.n_folds):
        progress = _poster(shared.board, fold.number)
        trainer = fold_trainer(shared.plan, shared.make_model, _with_data(shared, fold), progress)
        # What it makes models of need not stay in memory beside the model.
        del shared
        return run_fold(trainer, fold.number)


def _with_data(shared: _Shared, fold: _Fold) -> DataSilo:
    """The fold's silo; the features stay where they are, in shared memory."""
    import ray

    @functools.cache
    def table(name: str) -> pa.Table:
        return joined(ray.get(shared.tables[name]))

    silo = shared.silo.emptied()
    vars(silo).update(fold.settings)
    silo.data |= {name: rows.received(table) for name, rows in fold.sets.items()}
    return silo


def _poster(board: ActorHandle[RunStatusActor], number: int) -> Progress:
    """A `progress` that posts to the board now and then."""
    last = 0.0

    def post(stage: str, done: int, total: int | None, _note: str) -> None:
        nonlocal last
        now = time.monotonic()
        if stage == "train" and (done == total or now - last >= _SECONDS_BETWEEN_LOOKS):
            last = now
            board.post.remote(number, done)

    return post


def _read(board: ActorHandle[RunStatusActor]) -> dict[int, int]:
    import ray

    try:
        return cast("dict[int, int]", ray.get(board.read.remote(), timeout=_SECONDS_FOR_AN_ANSWER))
    except ray.exceptions.GetTimeoutError:
        # A busy machine; the next look will tell.
        return {}


def _result(reference: ObjectRef[FoldResult], number: int, n_folds: int) -> FoldResult:
    import ray

    with named_after(number, n_folds):
        try:
            return ray.get(reference)
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
            told = f"{cluster.cause_of(error)}; where memory is short, fewer folds at once may help (parallel=...)"
            raise ClusterError(told, code="ray-failed") from error
        except ray.exceptions.RayError as error:
            raise cluster.cause_of(error) from error

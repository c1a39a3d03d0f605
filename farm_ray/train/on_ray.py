"""The driver's side of a run on Ray Train: hands model and data over, waits, and says how it ended."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import uuid
from typing import TYPE_CHECKING, Any, TypeVar, cast

from farm_ray import cluster
from farm_ray.errors import ClusterError
from farm_ray.registrations import Registrations
from farm_ray.storage.scratch import scratch_folder
from farm_ray.train.ray_worker import Job, Trained, train_loop_per_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from ray.actor import ActorHandle

    from farm_ray.data_handler.run_sets import RunSets
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.plain import PlainDict
    from farm_ray.train.board import Board, Hear
    from farm_ray.train.settings import TrainSettings
    from farm_ray.train.stopper import Stopper

logger = logging.getLogger(__name__)

T = TypeVar("T")

_START_TIMEOUT = "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"
_SECONDS_FOR_ELASTIC_WORKERS = "20"
"""Those that have not come by then will not come; fewer are tried next."""
_MOST_FALSE_STARTS = 10
_SECONDS_FOR_NEW_NODES = "900"
"""A cloud's GPU machine takes minutes to come."""
_SECONDS_BETWEEN_RESIZES = 30.0
"""Elastic workers grow at most so often: every time costs a restart from the last checkpoint."""
_SECONDS_BETWEEN_LOOKS = 0.2
_WORKER_MEMORY = 1e6
"""Ray asks every worker for something; a megabyte of logical memory leaves all logical CPUs to the data tasks."""


def train_on_ray(
    model: AdaptiveModel,
    sets: RunSets,
    settings: TrainSettings,
    *,
    num_workers: int | tuple[int, int],
    use_gpu: bool,
    early_stopping: Stopper | None,
    hear: Hear,
    stop: threading.Event,
    max_restarts: int,
    hang_timeout: float,
) -> Trained:
    """Runs `Worker` on `num_workers` Ray Train workers, or on as many between two numbers as the cluster has room for.

    A worker that dies or hangs ends its group, and Ray Train starts all of them again from the last checkpoint; an
    error of the run itself would come again, and ends it.

    Raises:
        FarmRayError: What a worker raised, with its own type.
        ClusterError: When the cluster cannot hold the workers, or lost them.
    """
    import ray
    from ray import cloudpickle
    from ray.train import DataConfig, FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from farm_ray.train.board import BoardReader
    from farm_ray.train.one_machine import OneMachineConfig

    cluster.connect()
    cluster.data_context()
    least, most = (num_workers, num_workers) if isinstance(num_workers, int) else num_workers
    must_grow = not check_room(least, use_gpu=use_gpu)
    timeout = _SECONDS_FOR_ELASTIC_WORKERS if least != most else _SECONDS_FOR_NEW_NODES if must_grow else None
    with _start_timeout(timeout), _board() as board:
        tables = _Datasets(elastic=least != most)
        job = Job(
            # Ray's pickle also takes functions of the user's main program, as an own loss aggregation is.
            model=cloudpickle.dumps(model.to("cpu")),
            settings=settings,
            sets=sets.sent(tables),
            early_stopping=early_stopping,
            board=board,
            driver_node=ray.get_runtime_context().get_node_id(),
            hang_timeout=hang_timeout,
            registered=Registrations.of_this_process(),
        )
        with scratch_folder("train") as scratch, BoardReader(board, hear, stop):
            trainer = TorchTrainer(
                train_loop_per_worker,
                train_loop_config={"job": ray.put(job)},
                torch_config=OneMachineConfig(folder=str(scratch)) if cluster.is_local() else None,
                scaling_config=ScalingConfig(
                    num_workers=num_workers,  # type: ignore[arg-type] # Train V2 takes two numbers too
                    use_gpu=use_gpu,
                    # Workers that ask for next to nothing would all go to one machine.
                    placement_strategy="PACK" if use_gpu else "SPREAD",
                    resources_per_worker=_resources(use_gpu=use_gpu, elastic=least != most),
                    elastic_resize_monitor_interval_s=_SECONDS_BETWEEN_RESIZES,  # type: ignore[call-arg] # as above
                ),
                # Our own checkpoints carry the run; Ray Train only needs a place for its bookkeeping.
                run_config=RunConfig(
                    name=f"farm_ray-{uuid.uuid4().hex[:8]}",
                    storage_path=str(scratch),
                    failure_config=FailureConfig(
                        max_failures=max_restarts,
                        # For some seconds after a loss Ray offers elastic workers the lost node once more.
                        controller_failure_limit=1 if least == most else _MOST_FALSE_STARTS,  # type: ignore[call-arg] # Train V2's
                    ),
                ),
                datasets=tables.datasets,
                dataset_config=DataConfig(
                    datasets_to_split=[], execution_options=ray.data.ExecutionOptions(preserve_order=True)
                ),
            )
            try:
                trained = _fit(trainer, max_restarts)
            except ClusterError as error:
                raise _failure(board) or error from None
            if trained is None:
                raise _failure(board) or ClusterError(
                    "the training workers ended without a result", code="workers-without-result"
                )
        trained.result.restarts = cast("int", ray.get(board.attempts.remote())) - 1
        trained.result.resumed_from_step = ray.get(board.resumed_at.remote())
    return trained


@contextlib.contextmanager
def _board() -> Iterator[ActorHandle[Board]]:
    """The run's board, beside the driver: it has to outlast the workers' nodes."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from farm_ray.train.board import Board

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    made = ray.remote(Board).options(num_cpus=0, scheduling_strategy=here).remote()
    board = cast("ActorHandle[Board]", made)
    try:
        yield board
    finally:
        # After a second Ctrl-C Ray may be gone before.
        with contextlib.suppress(Exception):
            ray.kill(board)


def _failure(board: ActorHandle[Board]) -> Exception | None:
    """Why the run has failed for good, as far as its board can still be asked."""
    import ray

    try:
        return cast("Exception | None", ray.get(board.failure.remote()))
    except ray.exceptions.RayError:
        return None


class _Datasets:
    """The `Carrier` of a run: each distinct table is one Ray dataset, named by the first set with rows in it."""

    def __init__(self, *, elastic: bool) -> None:
        self.elastic = elastic
        self.datasets: PlainDict = {}
        self._names: dict[int, str] = {}

    def put(self, set_name: str, table: pa.Table, blocks: tuple[Any, ...]) -> str:
        """As `Carrier.put`."""
        import ray.data

        if id(table) not in self._names:
            self._names[id(table)] = set_name
            held = ray.data.from_arrow_refs(list(blocks)) if blocks else ray.data.from_arrow(table)
            self.datasets[set_name] = held
        return self._names[id(table)]


def _fit(trainer: Any, max_restarts: int) -> Trained | None:
    """What rank 0 returned.

    Raises:
        ClusterError: When the workers could not be started, or died too often.
    """
    import ray
    from ray.train import ControllerError, TrainingFailedError

    try:
        return _in_a_thread(lambda: cast("Trained | None", trainer.fit().return_value))
    except TrainingFailedError as error:
        failures = list(getattr(error, "worker_failures", {}).values())
        if isinstance(error, ControllerError) or not failures:
            raise ClusterError(
                f"Ray Train could not run the workers: {_last_line(error)}", code="ray-failed"
            ) from error
        told = _last_line(cluster.cause_of(failures[0]))
        often = f"and were started again {max_restarts} times" if max_restarts else "and max_restarts is 0"
        raise ClusterError(
            f"the training workers were lost, {often}; the last reason: {told}; "
            "what is written goes on with --resume auto",
            code="workers-lost",
        ) from error
    except ray.exceptions.RayError as error:
        raise cluster.cause_of(error) from error


def _in_a_thread(work: Callable[[], T]) -> T:
    """What `work` gives. Ray Train would put its own handler of Ctrl-C in the main thread, which ends all at once."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, name="farm_ray-fit", daemon=True)
    thread.start()
    while thread.is_alive():
        # With a time-out, so that signals are heard meanwhile.
        thread.join(_SECONDS_BETWEEN_LOOKS)
    if errors:
        raise errors[0]
    return results[0]


def _resources(*, use_gpu: bool, elastic: bool) -> dict[str, float]:
    """What a worker asks Ray for. Only from what it asks for Ray knows how many elastic workers there is room for."""
    if use_gpu:
        return {"GPU": 1}
    return {"CPU": 1} if elastic else {"CPU": 0, "memory": _WORKER_MEMORY}


@contextlib.contextmanager
def _start_timeout(seconds: str | None) -> Iterator[None]:
    """How long Ray Train waits for workers to start, in this run; None, or what the user has set, leaves it."""
    if seconds is None or _START_TIMEOUT in os.environ:
        yield
        return
    os.environ[_START_TIMEOUT] = seconds
    try:
        yield
    finally:
        os.environ.pop(_START_TIMEOUT, None)


def check_room(num_workers: int, *, use_gpu: bool) -> bool:
    """Whether the cluster can hold the workers now; one that may grow will be waited for.

    Raises:
        ClusterError: When it is a local Ray, which never grows.
    """
    import ray

    gpus = ray.cluster_resources().get("GPU", 0)
    if not use_gpu or gpus >= num_workers:
        return True
    lacking = f"{num_workers} workers with a GPU each were asked for, and there are {gpus:g} GPUs"
    if cluster.is_local():
        raise ClusterError(
            f"{lacking}; give a smaller --num-workers or leave out --use-gpu", code="too-few-gpus", value=gpus
        )
    logger.warning("%s; waiting up to %s seconds for the cluster to grow", lacking, _SECONDS_FOR_NEW_NODES)
    return False


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

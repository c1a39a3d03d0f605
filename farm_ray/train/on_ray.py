"""The same training loop as in one process, run by Ray Train's workers."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from farm_ray import cluster
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.data_silo.stream import StreamedSet
from farm_ray.errors import ClusterError
from farm_ray.evaluation.metrics import register_all, registrations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.train.settings import TrainResult, TrainSettings

logger = logging.getLogger(__name__)

_SECONDS_FOR_NEW_NODES = "900"
"""A cloud's GPU machine takes minutes to come."""
_WORKER_MEMORY = 1e6
"""Ray asks every worker for something; a megabyte of logical memory leaves all logical CPUs to the data tasks."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every worker gets: the model, the settings, and which rows of which dataset make which set."""

    model: bytes
    settings: TrainSettings
    views: dict[str, tuple[str, Any, Any, Any]]
    """Set name -> (dataset name, positions of its rows, padding, masking)."""
    streamed: dict[str, StreamedSet]
    """Sets that the workers read themselves."""
    early_stopping: Any
    board: Any
    registered: dict[str, Any]
    """Metrics and reports of the user's own: each process has its own register."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What comes back from rank 0."""

    result: TrainResult
    weights: dict[str, Any]
    """The trained model's state, numpy arrays by name."""
    early_stopping: dict[str, Any] | None
    """The state of early stopping at the end."""


def train_on_ray(
    model: AdaptiveModel,
    sets: Mapping[str, FeatureSet | StreamedSet | None],
    settings: TrainSettings,
    *,
    num_workers: int,
    use_gpu: bool,
    early_stopping: Any,
    hear: Callable[[Any, list[Any]], None],
    stop: threading.Event,
) -> Trained:
    """Runs `Worker` on `num_workers` Ray Train workers.

    Raises:
        FarmRayError: What a worker raised, with its own type.
        ClusterError: When the cluster cannot hold the workers, or lost them.
    """
    import ray
    from ray import cloudpickle
    from ray.train import DataConfig, FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from farm_ray.data_handler.data_silo.stream_source import prepare_readers
    from farm_ray.train.board import Board, BoardReader

    cluster.connect()
    cluster.data_context()
    check_room(num_workers, use_gpu=use_gpu)
    board: Any = ray.remote(Board).options(num_cpus=0).remote()
    for rows in sets.values():
        if isinstance(rows, StreamedSet):
            prepare_readers(rows, ranks=num_workers)
    in_memory = {name: rows for name, rows in sets.items() if not isinstance(rows, StreamedSet)}
    datasets, views = _handed_over(in_memory)
    job = Job(
        # Ray's pickle also takes functions of the user's main program, as an own loss aggregation is.
        model=cloudpickle.dumps(model.to("cpu")),
        settings=settings,
        views=views,
        streamed={name: replace(rows, on_ray=True) for name, rows in sets.items() if isinstance(rows, StreamedSet)},
        early_stopping=early_stopping,
        board=board,
        registered=registrations(),
    )
    with tempfile.TemporaryDirectory(prefix="farm_ray-train-") as scratch, BoardReader(board, hear, stop):
        trainer = TorchTrainer(
            train_loop_per_worker,
            train_loop_config={"job": ray.put(job)},
            scaling_config=ScalingConfig(
                num_workers=num_workers,
                use_gpu=use_gpu,
                resources_per_worker={"GPU": 1} if use_gpu else {"CPU": 0, "memory": _WORKER_MEMORY},
            ),
            # Our own checkpoints carry the run; Ray Train only needs a place for its bookkeeping.
            run_config=RunConfig(
                name=f"farm_ray-{uuid.uuid4().hex[:8]}",
                storage_path=scratch,
                failure_config=FailureConfig(max_failures=0, controller_failure_limit=1),  # type: ignore[call-arg] # Train V2's
            ),
            datasets=datasets,
            dataset_config=DataConfig(
                datasets_to_split=[], execution_options=ray.data.ExecutionOptions(preserve_order=True)
            ),
        )
        trained = _fit(trainer)
    ray.kill(board)
    return trained


def train_loop_per_worker(config: dict[str, Any]) -> Any:
    """One Ray Train worker: builds its sets from the dataset shards and runs the loop."""
    import ray
    import ray.train
    import torch
    from ray import cloudpickle
    from ray.train.torch import get_device

    from farm_ray.ranks import Ranks
    from farm_ray.train.board import BoardListener
    from farm_ray.train.worker import Worker

    job: Job = ray.get(config["job"])
    register_all(job.registered)
    context = ray.train.get_context()
    torch.set_num_threads(max(1, cluster.cores() // context.get_local_world_size()))
    device = get_device()
    ranks = Ranks(rank=context.get_world_rank(), world_size=context.get_world_size(), device=device)
    board = job.board
    listener = BoardListener(board)
    worker = Worker(
        cloudpickle.loads(job.model),
        {**_received(job.views), **job.streamed},
        job.settings,
        ranks=ranks,
        listener=listener,
        early_stopping=job.early_stopping,
    )
    # The pickled model need not stay in memory beside the model.
    del job
    result = worker.run()
    if not ranks.is_first:
        return None
    ray.get(board.post.remote(*listener.unsent()))
    return Trained(
        result=result,
        weights={name: _as_numpy(tensor) for name, tensor in worker.trainee.model.state_dict().items()},
        early_stopping=worker.progress.early_stopping,
    )


def _handed_over(sets: Mapping[str, FeatureSet | None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Each distinct table as one Ray dataset, and each set as rows of one of them."""
    import ray.data

    datasets: dict[str, Any] = {}
    names: dict[int, str] = {}
    views = {}
    for set_name, rows in sets.items():
        if rows is None:
            continue
        if id(rows.table) not in names:
            names[id(rows.table)] = set_name
            blocks = rows.blocks
            datasets[set_name] = ray.data.from_arrow_refs(list(blocks)) if blocks else ray.data.from_arrow(rows.table)
        views[set_name] = (names[id(rows.table)], rows.rows, rows.padding, rows.masking)
    return datasets, views


def _received(views: Mapping[str, tuple[str, Any, Any, Any]]) -> dict[str, FeatureSet]:
    """The sets in a worker. Every rank reads all blocks, in order and without copying them out of shared memory."""
    import ray.train

    tables: dict[str, pa.Table] = {}
    for dataset in {dataset for dataset, *_ in views.values()}:
        shard = ray.train.get_dataset_shard(dataset)
        tables[dataset] = pa.concat_tables(
            list(shard.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1))
        )
    return {
        name: FeatureSet(table=tables[dataset], rows=np.asarray(rows), padding=padding, masking=masking)
        for name, (dataset, rows, padding, masking) in views.items()
    }


def _fit(trainer: Any) -> Trained:
    import ray
    from ray.train import ControllerError, TrainingFailedError

    before = signal.getsignal(signal.SIGINT)
    try:
        returned = trainer.fit().return_value
    except SystemExit as error:
        # What Ray Train makes of a Ctrl-C, after it has ended its workers.
        raise KeyboardInterrupt from error
    except TrainingFailedError as error:
        failures = list(getattr(error, "worker_failures", {}).values())
        if isinstance(error, ControllerError) or not failures:
            raise ClusterError(f"Ray Train could not run the workers: {_last_line(error)}") from error
        raise _telling([cluster.cause_of(failure) for failure in failures]) from error
    except ray.exceptions.RayError as error:
        raise cluster.cause_of(error) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)
    if returned is None:
        raise KeyboardInterrupt
    assert isinstance(returned, Trained)
    return returned


def _telling(causes: list[BaseException]) -> BaseException:
    """What went wrong first: when one worker stops, the others only say that they lost it."""
    return next((cause for cause in causes if not isinstance(cause, ClusterError)), causes[0])


def check_room(num_workers: int, *, use_gpu: bool) -> None:
    """Refuses what a local Ray can never hold; elsewhere waits for the cluster to grow."""
    import ray

    gpus = ray.cluster_resources().get("GPU", 0)
    if not use_gpu or gpus >= num_workers:
        return
    lacking = f"{num_workers} workers with a GPU each were asked for, and there are {gpus:g} GPUs"
    if cluster.is_local():
        raise ClusterError(f"{lacking}; give a smaller --num-workers or leave out --use-gpu")
    os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", _SECONDS_FOR_NEW_NODES)
    logger.warning("%s; waiting up to %s seconds for the cluster to grow", lacking, _SECONDS_FOR_NEW_NODES)


def _as_numpy(tensor: torch.Tensor) -> Any:
    return tensor.detach().cpu().numpy()


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

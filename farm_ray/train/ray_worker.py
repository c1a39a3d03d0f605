"""What runs in each Ray Train worker: the same loop as in one process, watched, with its failures told apart.

What would come again with new workers (bad data, a wrong setting, a bug) goes to the board and ends the run. What may
pass (a lost process, node or connection) is raised: Ray Train then starts all workers again.
"""

from __future__ import annotations

import faulthandler
import functools
import logging
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from farm_ray import cluster, devices, storage
from farm_ray.data_handler.columns import joined
from farm_ray.devices import explained
from farm_ray.errors import ClusterError
from farm_ray.train.notices import Notice
from farm_ray.train.shared_folder import refuse_unseen

if TYPE_CHECKING:
    import pyarrow as pa
    import torch
    from ray.actor import ActorHandle

    from farm_ray.data_handler.run_sets import SentSets
    from farm_ray.plain import PlainDict
    from farm_ray.registrations import Registrations
    from farm_ray.train.board import Begin, Board
    from farm_ray.train.settings import TrainResult, TrainSettings
    from farm_ray.train.stopper import Stopper

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_FOR_A_REPORT = 3.0
"""Until a rank that has failed has told so; the others hear of its end before."""
_LOST_CONTACT = ("gloo", "Gloo", "NCCL", "Connection reset", "Connection closed")
"""In errors of torch about another process."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every worker gets: the model, the settings and the sets."""

    model: bytes
    settings: TrainSettings
    sets: SentSets
    """Their tables are the datasets of the run."""
    early_stopping: Stopper | None
    board: ActorHandle[Board]
    driver_node: str
    """Ray's id of the machine that the run is driven from."""
    hang_timeout: float
    registered: Registrations
    """Metrics and reports of the user's own: each process has its own register."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What comes back from rank 0."""

    result: TrainResult
    weights: PlainDict
    """The trained model's state, numpy arrays by name."""
    early_stopping: PlainDict | None
    """The state of early stopping at the end."""


def train_loop_per_worker(config: PlainDict) -> Any:
    """One Ray Train worker: runs its part, and reports errors that would come again to the board."""
    import ray
    import ray.train

    from farm_ray.ranks import sendable

    job = cast("Job", ray.get(config["job"]))
    board, context = job.board, ray.train.get_context()
    begin = cast("Begin", ray.get(board.begin.remote(context.get_world_rank() == 0)))
    if begin.is_over:
        return None
    try:
        return _train(job, begin)
    except Exception as error:
        if _may_pass(error) or _is_taken_down():
            # Where another rank has failed for good, losing contact with it is no reason to start again.
            if _has_failed(board):
                return None
            raise
        ray.get(board.fail.remote(sendable(explained(error))))
        return None


def _train(job: Job, begin: Begin) -> Trained | None:
    """Builds the sets from the dataset shards and runs the loop."""
    import ray.train
    import torch
    from ray import cloudpickle
    from ray.train.torch import get_device

    from farm_ray.ranks import Ranks
    from farm_ray.train.board import BoardListener
    from farm_ray.train.watchdog import Watchdog
    from farm_ray.train.worker import Worker

    job.registered.register()
    context = ray.train.get_context()
    torch.set_num_threads(max(1, cluster.cores() // context.get_local_world_size()))
    device = get_device()
    ranks = Ranks(rank=context.get_world_rank(), world_size=context.get_world_size(), device=device)
    board = job.board
    listener = BoardListener(board)
    settings = job.settings
    if begin.checkpoint is not None:
        settings = settings.model_copy(update={"resume": "auto"})
    root = settings.checkpoint_root_dir
    if root is not None and settings.claim is not None and storage.is_local(root):
        refuse_unseen(root, settings.claim, ranks)
    with Watchdog(job.hang_timeout, _end_this_process) as watchdog:
        worker = Worker(
            functools.partial(cloudpickle.loads, job.model),
            job.sets.received(functools.cache(_table)),
            settings,
            ranks=ranks,
            listener=listener,
            early_stopping=job.early_stopping,
            written=begin.checkpoint,
            beat=watchdog.beat,
            notice=functools.partial(_notice, job.driver_node),
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


def _notice(driver_node: str) -> Notice:
    """What Ray says about machines that are being drained; all ranks ask at once."""
    import ray.train

    info = ray.train.get_preemption_info()
    if info is None:
        return Notice.NONE
    return Notice.STOP if driver_node in info.preempted_node_ids else Notice.SAVE


def _end_this_process() -> None:
    """As a crash would: Ray Train finds out within a second, and starts all workers again."""
    logger.error("this worker has made no step for too long and ends itself; what its threads do:")
    faulthandler.dump_traceback()
    os.kill(os.getpid(), signal.SIGKILL)


def _may_pass(error: Exception) -> bool:
    """Whether the same steps may go well with new workers: what was lost is a process, a node or a connection."""
    import ray
    import torch.distributed

    if explained(error) is not error:
        return False
    if isinstance(error, ClusterError | torch.distributed.DistError) or devices.may_pass(error):
        return True
    if isinstance(error, ray.exceptions.RayError):
        return not isinstance(error, ray.exceptions.RayTaskError)
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _LOST_CONTACT)


def _is_taken_down() -> bool:
    """Whether Ray Train has closed the process group below the loop, which it does before it starts other workers.

    What the loop then runs into is no failure of the run.
    """
    import torch.distributed

    return not torch.distributed.is_initialized()


def _has_failed(board: ActorHandle[Board]) -> bool:
    """Whether a rank reports a failure for good, now or within some seconds."""
    import ray

    deadline = time.monotonic() + _SECONDS_FOR_A_REPORT
    while time.monotonic() < deadline:
        if ray.get(board.failure.remote()) is not None:
            return True
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return False


def _table(dataset: str) -> pa.Table:
    """A dataset of the run. Every rank reads all blocks, in order and without copying them out of shared memory."""
    import ray.train

    shard = ray.train.get_dataset_shard(dataset)
    return joined(list(shard.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1)))


def _as_numpy(tensor: torch.Tensor) -> object:
    return tensor.detach().cpu().numpy()

"""Many rows: Ray reads the files, actors hold the model, the driver gets predictions in input order."""

from __future__ import annotations

import logging
import os
import platform
from typing import TYPE_CHECKING, Any

from farm_ray import cluster
from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
from farm_ray.data_handler.data_silo.executor import Actors, run_on_ray
from farm_ray.errors import ConfigError
from farm_ray.parts import Cursor
from farm_ray.registrations import Registrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from farm_ray.data_handler.data_silo.split_groups import SplitRows
    from farm_ray.infer.answers import Form
    from farm_ray.infer.predictor import Predictor

logger = logging.getLogger(__name__)

_ACTOR_CPUS = 0.25
_CORES_PER_ACTOR = 2
"""Batches are too small to keep many threads busy; more processes need more memory."""


def predict_on_ray(
    predictor: Predictor, source: SplitRows, form: Form, *, after: Cursor, num_actors: int | None
) -> Iterator[tuple[Cursor, pa.Table]]:
    """Predictions for the rows behind a cursor, in their order, as they become ready; Ray must be connected.

    Args:
        predictor: Sent once to each actor.
        source: The rows, read by one task for each group of splits; local files on this machine, so that other nodes
            need no copy.
        form: Makes tables of the predictions, there.
        after: The cursor.
        num_actors: Processes with a copy of the model each; None takes one per GPU, or one per two cores.

    Raises:
        FarmRayError: What a stage or the reader raised, with its own type.
        ClusterError: When Ray made no progress or lost its actors.
    """
    import ray

    on_gpu = _gpus_wanted(predictor)
    actors, threads = _shares(num_actors, on_gpu=on_gpu)
    sent = ray.put(predictor.on("cpu"))
    pool = Actors(
        make=PredictorActor,
        # Inside a list a reference stays one: the actor fetches the model itself.
        args=([sent], Registrations.of_this_process(), on_gpu, threads, form),
        number=actors,
        cpus=_ACTOR_CPUS,
        gpus=1 if on_gpu else None,
    )
    tasks = source.tasks(after, BroadcastProcessor(source.processor).processor)
    try:
        for mark, table in run_on_ray(tasks, pool, max_tasks=cluster.all_cores()):
            yield Cursor(*mark), table
    finally:
        predictor.on(predictor.device)


class PredictorActor:
    """One process with the model; its threads are its share of the machine."""

    def __init__(self, sent: list[Any], registered: Registrations, on_gpu: bool, threads: int, form: Form) -> None:
        # Both thread pools take their size when they are first used.
        os.environ["RAYON_NUM_THREADS"] = str(threads)
        import ray
        import torch

        torch.set_num_threads(threads)
        registered.register()
        predictor: Predictor = ray.get(sent[0])
        self._predictor = predictor.on(_own_device(on_gpu=on_gpu))
        self._form = form

    def __call__(self, dicts: pa.Table) -> pa.Table:
        """The predictions for a table of dicts."""
        return self._form(self._predictor.predict(dicts))


def _gpus_wanted(predictor: Predictor) -> bool:
    """Whether actors ask Ray for a GPU: they have their own machines' GPUs, not that of this process.

    Raises:
        ConfigError: When this process has a GPU and the cluster gives none.
    """
    import ray

    if not predictor.gpu_on_ray:
        return False
    if ray.cluster_resources().get("GPU", 0) >= 1:
        return True
    if predictor.device != "cpu":
        raise ConfigError(
            "the Ray cluster has no GPU; load the model with gpu=False or join another cluster",
            code="no-gpu-in-cluster",
        )
    logger.warning("gpu=True, but the Ray cluster has no GPU: computing on its CPUs")
    return False


def _own_device(*, on_gpu: bool) -> str:
    """The device of an actor. Ray shows it the GPU that it was given, and no other.

    Raises:
        ConfigError: When torch does not see it.
    """
    import torch

    if on_gpu and not torch.cuda.is_available():
        raise ConfigError(
            f"Ray gave an actor on {platform.node()} a GPU, but torch sees none there; install torch with CUDA on "
            "every machine, or load the model with gpu=False",
            code="no-gpu-here",
        )
    return "cuda" if on_gpu else "cpu"


def _shares(num_actors: int | None, *, on_gpu: bool) -> tuple[int, int]:
    """Actors in the cluster, and threads for each."""
    import ray

    cores = cluster.all_cores()
    gpus = int(ray.cluster_resources().get("GPU", 0))
    if num_actors is None:
        num_actors = gpus if on_gpu else max(1, cores // _CORES_PER_ACTOR)
    return num_actors, max(1, cores // num_actors)

"""The process group of training workers on one machine: nothing listens beyond loopback."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import Any

import ray
from ray.train.torch import TorchConfig
from ray.train.torch.config import _setup_torch_process_group, _TorchBackend


@dataclass
class OneMachineConfig(TorchConfig):
    """Workers find each other through a file; torch's usual store listens on every address of the machine."""

    folder: str = ""
    """Where the file goes, which all workers see."""

    @property
    def backend_cls(self) -> type[object]:
        """What Ray Train starts on the workers."""
        return _OneMachineBackend


class _OneMachineBackend(_TorchBackend):
    def on_start(self, worker_group: Any, backend_config: Any) -> None:
        gpus = worker_group.get_resources_per_worker().get("GPU", 0) > 0
        # A group that is started again must not find the file of the last one.
        place = tempfile.mkdtemp(dir=backend_config.folder)
        ray.get(
            [
                worker_group.execute_single_async(
                    rank,
                    _setup_torch_process_group,
                    backend=backend_config.backend or ("nccl" if gpus else "gloo"),
                    world_rank=rank,
                    world_size=len(worker_group),
                    init_method=f"file://{place}/store",
                    timeout_s=backend_config.timeout_s,
                )
                for rank in range(len(worker_group))
            ]
        )

"""Which failures are worth another start, without Ray Train itself."""

import types

import pytest
import ray
import torch

from farm_ray.errors import ClusterError, DataProblemError
from farm_ray.train import ray_worker


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ClusterError("another worker could not go on"), True),
        (torch.distributed.DistNetworkError("lost"), True),
        (RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1"), True),
        (RuntimeError("NCCL communicator was aborted on rank 1"), True),
        (ray.exceptions.ObjectLostError("0" * 40, None, ""), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (torch.OutOfMemoryError("CUDA out of memory"), False),
        (DataProblemError("a bad row"), False),
        (ValueError("a bug"), False),
    ],
)
def test_what_may_pass(error, passes):
    assert ray_worker._may_pass(error) == passes


class Remote:
    """A board that tells its failure after some questions."""

    def __init__(self, after):
        self.asked, self.after = 0, after
        self.failure = types.SimpleNamespace(remote=self.ask)

    def ask(self):
        self.asked += 1
        return ValueError("bad") if self.asked > self.after else None


def test_a_lost_contact_waits_for_who_has_really_failed(monkeypatch):
    monkeypatch.setattr(ray, "get", lambda value: value)
    monkeypatch.setattr(ray_worker, "_SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(ray_worker, "_SECONDS_FOR_A_REPORT", 0.1)
    assert ray_worker._has_failed(Remote(after=2))
    assert not ray_worker._has_failed(Remote(after=10**6))


@pytest.mark.parametrize(("nodes", "notice"), [(None, "none"), (["a"], "save"), (["a", "driver"], "stop")])
def test_what_a_notice_means(monkeypatch, nodes, notice):
    import ray.train

    info = None if nodes is None else types.SimpleNamespace(preempted_node_ids=nodes)
    monkeypatch.setattr(ray.train, "get_preemption_info", lambda: info)
    assert ray_worker._notice("driver").value == notice

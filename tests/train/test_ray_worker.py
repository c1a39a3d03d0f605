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
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (RuntimeError("CUDA error: out of memory"), False),
        (RuntimeError("CUDA error: invalid device function"), False),
        (RuntimeError("CUDA error: uncorrectable ECC error encountered"), True),
        (RuntimeError("CUDA error: unspecified launch failure"), True),
        (torch.distributed.DistBackendError("NCCL error: remote process exited or there was a network error"), True),
        (torch.distributed.DistBackendError("NCCL watchdog: CUDA error: device-side assert triggered"), False),
        (DataProblemError("a bad row"), False),
        (ValueError("a bug"), False),
    ],
)
def test_what_may_pass(error, passes):
    assert ray_worker._may_pass(error) == passes


class Remote:
    """A board that reports its failure after some questions."""

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


class Told:
    """A board that keeps what it is told."""

    def __init__(self):
        self.failures = []
        begin = types.SimpleNamespace(checkpoint=None, is_over=False)
        self.begin = types.SimpleNamespace(remote=lambda is_first: begin)
        self.fail = types.SimpleNamespace(remote=self.failures.append)
        self.failure = types.SimpleNamespace(remote=lambda: None)


@pytest.mark.parametrize("taken_down", [True, False])
def test_what_a_loop_runs_into_when_its_process_group_is_closed_is_no_failure(monkeypatch, taken_down):
    """As Ray Train does before it starts more workers; else an error that would come again goes to the board."""
    import ray.train

    def train(job, begin):
        raise ValueError("Default process group has not been initialized")

    board = Told()
    monkeypatch.setattr(ray, "get", lambda value: value)
    monkeypatch.setattr(ray.train, "get_context", lambda: types.SimpleNamespace(get_world_rank=lambda: 0))
    monkeypatch.setattr(ray_worker, "_train", train)
    monkeypatch.setattr(ray_worker, "_SECONDS_FOR_A_REPORT", 0.0)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: not taken_down)
    config = {"job": types.SimpleNamespace(board=board)}
    if taken_down:
        with pytest.raises(ValueError, match="process group"):
            ray_worker.train_loop_per_worker(config)
        assert board.failures == []
    else:
        assert ray_worker.train_loop_per_worker(config) is None
        assert [str(error) for error in board.failures] == ["Default process group has not been initialized"]

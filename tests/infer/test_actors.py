"""Which device actors compute on: that of their own machine, whatever the machine has that drives them."""

from types import SimpleNamespace

import pytest
import ray
import torch

from farm_ray.errors import ConfigError
from farm_ray.infer import actors
from farm_ray.registrations import Registrations
from tests.infer.models import make_inferencer
from tests.raised import raised


class Stub:
    """A predictor that remembers where it was moved."""

    def on(self, device):
        return SimpleNamespace(device=device, predict=lambda dicts: dicts)


@pytest.mark.parametrize(
    ("wanted", "here", "gpus", "on_gpu"),
    [(True, "cpu", 2, True), (True, "cuda", 2, True), (False, "cpu", 2, False), (True, "cpu", 0, False)],
)
def test_gpus_of_the_cluster_are_used_where_the_driver_has_none(monkeypatch, wanted, here, gpus, on_gpu):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0} | ({"GPU": float(gpus)} if gpus else {}))
    assert actors._gpus_wanted(SimpleNamespace(gpu_on_ray=wanted, device=here)) == on_gpu


def test_a_cluster_without_the_gpu_that_the_driver_has(monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    with raised(ConfigError, "no-gpu-in-cluster"):
        actors._gpus_wanted(SimpleNamespace(gpu_on_ray=True, device="cuda"))


def test_an_actor_takes_its_own_device(monkeypatch):
    monkeypatch.setattr(ray, "get", lambda shipped: shipped)
    monkeypatch.setenv("RAYON_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    assert (
        actors.PredictorActor([Stub()], Registrations.of_this_process(), False, threads, None)._predictor.device
        == "cpu"
    )
    with raised(ConfigError, "no-gpu-here"):
        actors.PredictorActor([Stub()], Registrations.of_this_process(), True, threads, None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (
        actors.PredictorActor([Stub()], Registrations.of_this_process(), True, threads, None)._predictor.device
        == "cuda"
    )


def test_an_inferencer_remembers_that_a_gpu_is_wanted(tmp_path, caplog):
    inferencer = make_inferencer(tmp_path, gpu=True, use_amp="fp16")
    assert (inferencer._predictor.device, inferencer._predictor.gpu_on_ray) == ("cpu", True)
    assert "gpu=True, but torch sees no GPU: computing on the CPU" in caplog.text
    with raised(ConfigError, "precision-not-for-device", value="fp16"):
        inferencer.inference_from_dicts([{"text": "a good film"}])

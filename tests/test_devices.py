"""Where a model computes: FARM's ways to say it and ours, what is not there, and which errors of a GPU come again.

There is no GPU here: torch's answers about them are replaced, and nothing computes on one.
"""

import pytest
import torch
from torch import nn

from farm_ray import devices
from farm_ray.errors import ConfigError
from farm_ray.eval import Evaluator
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.optimization import initialize_optimizer
from tests.raised import raised

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def gpus(monkeypatch):
    """Makes torch see this many GPUs."""

    def see(number):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)

    return see


def chosen(num_workers=(0, 0), *, model=None, **said):
    said = {"use_gpu": None, "device": None, "n_gpu": None, **said}
    return devices.training_device(num_workers=num_workers, model=model or nn.Linear(1, 1), **said)


@pytest.mark.parametrize(
    ("said", "device"),
    [
        ({}, "cpu"),
        ({"use_gpu": True}, "cuda"),
        ({"use_gpu": False}, "cpu"),
        ({"device": "cuda"}, "cuda"),
        ({"device": CUDA, "n_gpu": 1}, "cuda"),
        ({"device": "cuda:1", "use_gpu": True}, "cuda:1"),
        ({"device": "cpu", "n_gpu": 0}, "cpu"),
        ({"n_gpu": 1}, "cuda"),
        ({"n_gpu": 0}, "cpu"),
        ({"n_gpu": 3, "num_workers": (3, 3)}, "cuda"),
        ({"n_gpu": 3, "num_workers": (2, 4)}, "cuda"),
        ({"device": "cuda", "n_gpu": 1, "num_workers": (4, 4)}, "cuda"),
    ],
)
def test_where_a_training_computes(gpus, said, device):
    gpus(4)
    assert chosen(**said) == torch.device(device)


def test_what_a_driver_does_not_have_its_workers_may(gpus):
    gpus(0)
    for said in ({"device": "cuda"}, {"use_gpu": True}, {"n_gpu": 1}):
        assert chosen((2, 2), **said) == chosen(**said) == CUDA


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"device": "cuda", "use_gpu": False}, 'use_gpu=False and device="cuda" contradict'),
        ({"device": "cpu", "n_gpu": 1}, 'device="cpu" and n_gpu=1 contradict'),
        ({"use_gpu": True, "n_gpu": 0}, "use_gpu=True and n_gpu=0 contradict"),
        ({"device": "gpu"}, "there is no device 'gpu'"),
        ({"device": "mps"}, "not available"),
        ({"device": "cuda:1", "num_workers": (2, 2)}, 'give device="cuda"'),
        ({"device": "gpu", "num_workers": (2, 2)}, "there is no device 'gpu'"),
        ({"n_gpu": 4}, "num_workers=4 and use_gpu=True"),
        ({"n_gpu": 4, "num_workers": (2, 2)}, "but num_workers=2"),
        ({"n_gpu": -1}, "n_gpu must be"),
        ({"n_gpu": True}, "n_gpu must be"),
    ],
)
def test_what_contradicts_itself(gpus, said, names):
    gpus(4)
    with pytest.raises(ConfigError, match=names):
        chosen(**said)


def test_where_nothing_is_said_the_model_stays_where_it_is(gpus):
    class OnGpu(nn.Module):
        def parameters(self):
            return iter([type("Weight", (), {"device": torch.device("cuda", 1)})()])

    gpus(2)
    assert chosen(model=OnGpu()) == torch.device("cuda", 1)
    assert chosen(model=OnGpu(), use_gpu=False) == CPU
    assert chosen((2, 2), model=OnGpu()) == CUDA


def test_farms_settings(gpus, caplog):
    gpus(2)
    assert devices.initialize_device_settings(use_cuda=True) == (CUDA, 2)
    assert devices.initialize_device_settings(use_cuda=False) == (CPU, 0)
    gpus(0)
    assert devices.initialize_device_settings(True) == (CPU, 0)
    assert "use_cuda=True, but torch sees no GPU" in caplog.text
    with pytest.warns(UserWarning, match="num_workers"):
        devices.initialize_device_settings(True, local_rank=0)


def test_a_model_on_a_gpu_that_is_not_there(tiny_folder, gpus):
    gpus(0)
    language_model = LanguageModel.load(tiny_folder)
    with raised(ConfigError, "no-gpu-here"):
        AdaptiveModel(language_model, [], 0.1, "per_sequence", "cuda")
    with raised(ConfigError, "no-gpu-here"):
        AdaptiveModel.convert_from_transformers(tiny_folder, "cuda:0", task_type="embeddings")
    with raised(ConfigError, "no-gpu-here"):
        Evaluator([], {}, "cuda")
    gpus(4)
    with raised(ConfigError, "no-gpu-here", value="cuda:7"):
        AdaptiveModel(language_model, [], 0.1, "per_sequence", "cuda:7")
    gpus(0)
    with raised(ConfigError, "no-gpu-here"):
        initialize_optimizer(language_model, n_batches=1, n_epochs=1, device="cuda", learning_rate=1e-3)


@pytest.mark.parametrize(
    ("told", "passes", "readable"),
    [
        ("CUDA error: device-side assert triggered\nCUDA kernel errors might be ...", False, "label id"),
        ("CUDA error: out of memory", False, "batch_size"),
        ("CUDA out of memory. Tried to allocate 20.00 MiB", False, "batch_size"),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", False, "batch_size"),
        (
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes",
            False,
            "batch_size",
        ),
        ("CUDA error: no kernel image is available for execution on the device", False, None),
        ("CUDA error: invalid device function", False, None),
        ("CUDA error: uncorrectable ECC error encountered", True, None),
        ("CUDA error: unspecified launch failure", True, None),
        ("CUDA error: an illegal memory access was encountered", True, None),
        ("CUDA error: all CUDA-capable devices are busy or unavailable", True, None),
        ("mat1 and mat2 shapes cannot be multiplied", False, None),
    ],
)
def test_what_an_error_of_a_gpu_means(told, passes, readable):
    error = RuntimeError(told)
    assert devices.may_pass(error) == passes
    better = devices.explained(error)
    if readable is None:
        assert better is error
    else:
        assert isinstance(better, ConfigError)
        assert readable in str(better)
        assert "\n" not in str(better)


def test_errors_inside_are_explained():
    with raised(ConfigError, "out-of-memory"), devices.explaining():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    with pytest.raises(RuntimeError, match="a bug"), devices.explaining():
        raise RuntimeError("a bug")

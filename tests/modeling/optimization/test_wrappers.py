"""The wrappers look like the model they hold."""

import copy
import pickle

import pytest
import torch
from torch import nn

from farm_ray.modeling.optimization import WrappedDataParallel, WrappedDDP


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.prediction_heads = ["head"]

    def forward(self, x):
        return self.layer(x)

    def connect(self, task):
        return f"{task} connected"


@pytest.fixture
def _process_group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", store=torch.distributed.FileStore(str(tmp_path / "s"), 1), rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def check(wrapped):
    assert wrapped.connect("qa") == "qa connected"
    assert wrapped.prediction_heads == ["head"]
    assert wrapped.layer is wrapped.module.layer
    assert wrapped(torch.ones(1, 2)).shape == (1, 2)
    with pytest.raises(AttributeError, match="'Model' object has no attribute 'nonsense'"):
        _ = wrapped.nonsense


def test_data_parallel_passes_attributes_and_travels():
    wrapped = WrappedDataParallel(Model())
    check(wrapped)
    again = pickle.loads(pickle.dumps(wrapped))
    check(again)
    assert torch.equal(again.layer.weight, wrapped.layer.weight)
    check(copy.deepcopy(wrapped))


@pytest.mark.usefixtures("_process_group")
def test_ddp_passes_attributes_and_travels():
    wrapped = WrappedDDP(Model(), find_unused_parameters=True)
    check(wrapped)
    wrapped(torch.ones(1, 2)).sum().backward()
    again = pickle.loads(pickle.dumps(wrapped))
    check(again)
    assert again.state_dict().keys() == {"module.layer.weight", "module.layer.bias"}


@pytest.mark.parametrize("kind", [WrappedDataParallel, WrappedDDP])
def test_an_empty_shell_does_not_recurse(kind):
    with pytest.raises(AttributeError):
        _ = kind.__new__(kind).anything

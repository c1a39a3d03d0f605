import pytest
import torch
from torch.utils.data import IterableDataset, SequentialSampler, TensorDataset

from farm_ray.data_handler.dataloader import NamedDataLoader, covert_dataset_to_dataloader
from farm_ray.errors import ConfigError
from tests.raised import raised

ROWS = TensorDataset(torch.arange(10).reshape(5, 2), torch.arange(5))


class Streaming(IterableDataset):
    def __len__(self):
        return 5

    def __iter__(self):
        yield from (ROWS[row] for row in range(5))


def test_batches_are_named():
    loader = NamedDataLoader(ROWS, batch_size=2, tensor_names=["input_ids", "labels"])
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert batches[0]["input_ids"].tolist() == [[0, 1], [2, 3]]
    assert batches[2]["labels"].tolist() == [4]


def test_streaming_sets_know_their_length():
    loader = NamedDataLoader(Streaming(), batch_size=2, tensor_names=["input_ids", "labels"])
    assert len(loader) == len(list(loader)) == 3


def test_names_must_fit():
    with pytest.raises(ConfigError, match=r"rows have 2 tensors, but there are 1 tensor_names"):
        next(iter(NamedDataLoader(ROWS, batch_size=2, tensor_names=["input_ids"])))
    with raised(ConfigError, "missing-option", option="tensor_names"):
        NamedDataLoader(ROWS, batch_size=2)


def test_plain_loader():
    loader = covert_dataset_to_dataloader(ROWS, SequentialSampler, 4)
    assert [batch[1].tolist() for batch in loader] == [[0, 1, 2, 3], [4]]


def test_a_sampler_or_its_class():
    data = TensorDataset(torch.arange(6))
    for sampler in (SequentialSampler, SequentialSampler(data)):
        batches = [batch[0].tolist() for batch in covert_dataset_to_dataloader(data, sampler, 4)]
        assert batches == [[0, 1, 2, 3], [4, 5]]

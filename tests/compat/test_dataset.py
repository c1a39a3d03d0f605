import pytest
import torch
from torch.utils.data import TensorDataset

from farm_ray.compat.dataset import (
    ConcatTensorDataset,
    convert_features_to_dataset,
    random_split_ConcatDataset,
)
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised


def test_types_follow_the_values_under_any_name():
    rows = [
        {"input_ids": [1, 2], "score_ids": [0.5], "labels": []},
        {"input_ids": [3, 4], "score_ids": [1], "labels": []},
    ]
    dataset, names = convert_features_to_dataset(rows)
    assert names == ["input_ids", "score_ids", "labels"]
    assert [tensor.dtype for tensor in dataset.tensors] == [torch.int64, torch.float32, torch.int64]
    assert dataset.tensors[1].tolist() == [[0.5], [1.0]]
    assert dataset.tensors[2].shape == (2, 0)
    assert convert_features_to_dataset([]) == (None, None)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({"a": [1, 2, 3]}, "feature a: row 1 has shape"),
        ({"b": [1, 2]}, "row 1 differs"),
        ({"a": ["x", "y"]}, "numbers"),
    ],
)
def test_rows_that_do_not_fit(second, told):
    with pytest.raises(DataProblemError, match=told):
        convert_features_to_dataset([{"a": [1, 2]}, second])


def test_joined_sets_take_slices_and_lists():
    first, second = TensorDataset(torch.arange(3)), TensorDataset(torch.arange(3, 5))
    joined = ConcatTensorDataset([first, second])
    assert len(joined) == 5
    assert joined[3][0].item() == 3
    assert joined[1:4][0].tolist() == [1, 2, 3]
    assert joined[[4, 0]][0].tolist() == [4, 0]
    assert joined[-1][0].item() == 4
    assert joined[-2:][0].tolist() == [3, 4]
    assert joined[[]] == ()


def test_a_random_split_is_exact_seeded_and_by_row():
    joined = ConcatTensorDataset([TensorDataset(torch.arange(7)), TensorDataset(torch.arange(7, 20))])
    parts = random_split_ConcatDataset(joined, [12, 5, 3], seed=1)
    values = [[part[n][0].item() for n in range(len(part))] for part in parts]
    assert [len(part) for part in values] == [12, 5, 3]
    assert sorted(row for part in values for row in part) == list(range(20))
    # Not whole data sets at a time, as they come.
    assert values[0] == sorted(values[0]) != list(range(12))
    again, other = (random_split_ConcatDataset(joined, [12, 8], seed=seed)[0].indices for seed in (1, 2))
    assert again == values[0] != other
    assert parts[0][[0, 1]][0].tolist() == values[0][:2]


@pytest.mark.parametrize("lengths", [[12, 9], [21, -1], []])
def test_lengths_that_do_not_add_up(lengths):
    with raised(ConfigError, "lengths-do-not-fit", rows=20):
        random_split_ConcatDataset(TensorDataset(torch.arange(20)), lengths)

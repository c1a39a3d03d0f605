import logging

import numpy as np
import pytest
import torch

from farm_ray import utils
from farm_ray.compat import values


@pytest.mark.parametrize(
    ("dicts", "expected"),
    [(1, (4, 1)), (5, (5, 1)), (60, (4, 15)), (374, (5, 15)), (1000, (14, 15)), (10**6, (2000, 15))],
)
def test_chunks_on_sixteen_cores(monkeypatch, dicts, expected):
    monkeypatch.setattr(values.os, "cpu_count", lambda: 16)
    assert utils.calc_chunksize(dicts) == expected


def test_chunks_keep_their_bounds(monkeypatch):
    monkeypatch.setattr(values.os, "cpu_count", lambda: 2)
    assert utils.calc_chunksize(1000, min_chunksize=10, max_chunksize=50) == (50, 2)
    assert utils.calc_chunksize(1000, max_processes=1) == (200, 1)


def test_lists_in_lists():
    assert list(utils.flatten_list([1, [2, [3, [], [[4]]]], [], 5])) == [1, 2, 3, 4, 5]
    deep = [0]
    for _ in range(5000):
        deep = [deep]
    assert list(utils.flatten_list(deep)) == [0]


def test_checksums_are_of_the_content():
    assert utils.get_dict_checksum({"a": 1, "b": [2]}) == utils.get_dict_checksum({"b": [2], "a": 1})
    assert utils.get_dict_checksum({"a": 1}) == "42b7b4f2921788ea14dac5566e6f06d0"


def test_tensors_and_arrays():
    assert utils.to_numpy(torch.ones(2, requires_grad=True)).tolist() == [1, 1]
    assert utils.to_numpy([1]) == [1]
    assert utils.stack([torch.ones(2), torch.zeros(2)]).tolist() == [[1, 1], [0, 0]]
    assert utils.stack([np.ones(2), np.zeros(2)]).shape == (2, 2)


def test_the_first_key_that_is_there():
    assert utils.try_get(["doc_id", "id"], {"id": ["a", "b"], "text": "x"}) == "a"
    assert utils.try_get(["doc_id"], {"id": "a"}) is None


def test_lines_of_the_log(caplog):
    with caplog.at_level(logging.INFO):
        utils.format_log("a\nb", logging.getLogger("x"))
        utils.log_ascii_workers(3, logging.getLogger("x"))
    assert caplog.messages == ["a", "b", "3 processes at work"]

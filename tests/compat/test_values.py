import logging
import os
import signal

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


def test_entities_of_dicts_of_spans():
    spans = [{"start": 0, "end": 4}, {"start": 5, "end": 9}, {"start": 10, "end": 12}, {"start": 13, "end": 17}]
    tags, merged, probs = utils.convert_iob_to_simple_tags(
        ["B-PER", "I-PER", "O", "B-LOC"], spans, [0.9, 0.8, 0.1, 0.7]
    )
    assert (tags, probs) == (["PER", "LOC"], [0.8, 0.7])
    assert merged == [{"start": 0, "end": 9}, {"start": 13, "end": 17}]
    assert spans[0] == {"start": 0, "end": 4}


def test_a_process_learns_that_it_shall_end():
    before = signal.getsignal(signal.SIGTERM)
    try:
        killer = utils.GracefulKiller()
        assert not killer.kill_now
        os.kill(os.getpid(), signal.SIGTERM)
        assert killer.kill_now
    finally:
        signal.signal(signal.SIGTERM, before)


def test_seconds_before_and_in_the_model(monkeypatch):
    watch, clock = utils.Benchmarker(), iter([1.0, 1.5, 4.0])
    monkeypatch.setattr("farm_ray.compat.benchmarker.time.perf_counter", lambda: next(clock))
    assert watch.summary() == (0.0, 0.0)
    for name in ("start", "dataset_single_proc", "formatted_preds"):
        watch.record(name)
    assert watch.summary() == (0.5, 2.5)
    watch.reset()
    assert watch.summary() == (0.0, 0.0)


def test_one_process_speaks_to_itself():
    assert utils.all_gather_list({"a": 1}) == [{"a": 1}]
    assert utils.all_reduce(torch.ones(2)).tolist() == [1, 1]

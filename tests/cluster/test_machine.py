"""How many cores there are, in a container too, and how threads share them."""

import os

import pytest

from farm_ray import cluster
from farm_ray.cluster import machine


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu.max": "?"}, None),
        ({}, None),
    ],
)
def test_cores_of_a_container(tmp_path, files, cores):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert machine._container_cores(tmp_path) == cores


def test_threads_are_shared_between_processes(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 8)
    assert [cluster.tokenizer_threads(n) for n in (0, 1, 3, 8, 100)] == [8, 8, 2, 1, 1]


def test_cores_are_not_more_than_this_process_may_use():
    assert 1 <= cluster.cores() <= len(os.sched_getaffinity(0))

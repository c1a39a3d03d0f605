"""Fixtures that several folders share."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def ray_cluster():
    """One local Ray for all cluster tests of a session; most of a test's time would be its start."""
    from farm_ray import cluster

    cluster.connect()
    yield
    cluster.disconnect()

"""A cluster of several nodes on this machine, unbroken runs to compare with, and a table of what was killed."""

import contextlib
import os
import tempfile

import pytest

from tests.chaos.harness import Run
from tests.stream_runs import write_tables

TABLES = {"files": 32, "rows": 18}
"""Sizes of the data that all runs share."""
ROWS = []
"""What each broken run came to: lines for the summary."""


def pytest_terminal_summary(terminalreporter):
    if ROWS:
        terminalreporter.write_line("")
        for row in ROWS:
            terminalreporter.write_line(row)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"), **TABLES)


@contextlib.contextmanager
def cluster_with_head(num_cpus):
    """A head that drivers join by RAY_ADDRESS; nodes come and go."""
    # A folder of its own, so that nobody else on this machine joins it; short, as sockets lie in it.
    with tempfile.TemporaryDirectory(prefix="rc", dir="/tmp", ignore_cleanup_errors=True) as folder:
        os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": folder}
        from ray.cluster_utils import Cluster

        head = {"num_cpus": num_cpus, "include_dashboard": False}
        nodes = Cluster(initialize_head=True, head_node_args=head, connect=False)
        yield nodes
        nodes.shutdown()


@pytest.fixture(scope="session")
def ray_nodes():
    """With room for all that a run asks for."""
    with cluster_with_head(num_cpus=4) as nodes:
        yield nodes


@pytest.fixture
def environment(request):
    """Of a program: the address of the cluster, where it needs one."""

    def of(workers):
        if str(workers) == "0":
            return {}
        return {"RAY_ADDRESS": request.getfixturevalue("ray_nodes").address}

    return of


@pytest.fixture(scope="session")
def unbroken(tiny_folder, data, tmp_path_factory, request):
    """The folder and result of a run that nobody touched, made once for each way to run."""
    made = {}

    def of(kind, workers, dropout, **options):
        key = kind, workers, dropout, *options.items()
        if key not in made:
            out = tmp_path_factory.mktemp("unbroken")
            address = {} if workers == 0 else {"RAY_ADDRESS": request.getfixturevalue("ray_nodes").address}
            run = Run(
                out,
                kind=kind,
                workers=workers,
                model=tiny_folder,
                data=data,
                dropout=dropout,
                environment=address,
                **options,
            )
            assert run.end() == 0, (out / "stderr.txt").read_text()[-2000:]
            made[key] = out, run.result
        return made[key]

    return of

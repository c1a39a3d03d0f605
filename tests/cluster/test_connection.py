"""Starting, joining and leaving Ray."""

import os
import signal
from pathlib import Path

import pytest

from farm_ray import cluster
from farm_ray.cluster import connection
from farm_ray.cluster import processes as cluster_processes


@pytest.fixture
def usual_interrupt():
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in the background and SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_interrupt")
def test_an_interrupt_waits_for_the_end_of_the_block():
    done = []

    def block():
        with connection._interrupt_waits():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("usual_interrupt")
def test_a_second_interrupt_does_not_wait():
    done = []

    def block():
        with connection._interrupt_waits():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert not done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_disconnect_leaves_a_ray_that_someone_else_started(monkeypatch):
    monkeypatch.setattr(connection._Connection, "made_by_us", False)
    monkeypatch.setattr(connection, "_leave", lambda: pytest.fail("Ray was ended"))
    cluster.disconnect()


def listening_addresses(processes):
    """The addresses, as the kernel writes them, on which these processes wait for TCP connections."""
    links = [link for process in processes for link in Path(f"/proc/{process}/fd").iterdir()]
    sockets = {link.readlink().name.removeprefix("socket:[").removesuffix("]") for link in links if link.is_symlink()}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in sockets}


@pytest.mark.cluster
def test_local_ray_listens_on_loopback_alone(ray_cluster):
    import ray

    cluster.connect()  # has nothing to do: the tests share one Ray
    ray.get(ray.remote(num_cpus=0)(lambda: 0).remote())  # so that there is a worker
    found = listening_addresses([os.getpid(), *cluster_processes.started_by(os.getpid())])
    assert {"0100007F"} <= found <= {"0100007F", "0000000000000000FFFF00000100007F"}

"""Workers that hang, nodes that are taken away or come, full disks and failing stores: a good end, or a clear one in time.

pytest -m chaos tests/chaos/test_troubles.py
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.chaos.conftest import ROWS, cluster_with_head
from tests.chaos.harness import Run, kill, ray_processes, same_weights, until
from tests.stream_runs import rows_in_tables, write_tables

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

ELASTIC_EPOCHS = 4


@pytest.fixture
def start(tiny_folder, data, environment, tmp_path):
    """Starts the program with two epochs of the streamed tables."""

    def started(workers, *, kind="stream", more=None, **options):
        return Run(
            tmp_path,
            kind=kind,
            workers=workers,
            model=tiny_folder,
            dropout=0.0,
            environment={**environment(workers), **(more or {})},
            **{"data": data, **options},
        )

    return started


def errors(out):
    return (out / "stderr.txt").read_text()


def note(what, seconds, told):
    ROWS.append(f"{what:34} {seconds:6.1f} s  {told}")


def test_a_worker_that_hangs(start, unbroken, tmp_path):
    """SIGSTOP: it lives, and does nothing. The others notice, and all are started again."""
    run = start(2, hang_timeout=10)
    run.wait_for_step(60)
    began = time.monotonic()
    os.kill(ray_processes("RayTrainWorker")[0], signal.SIGSTOP)
    assert run.end() == 0, errors(tmp_path)[-2000:]
    folder, expected = unbroken("stream", 2, 0.0)
    assert run.result["restarts"] >= 1
    assert run.result["order_hash"] == expected["order_hash"]
    assert same_weights(tmp_path, folder, exact=True)
    note("worker SIGSTOP, hang-timeout 10", time.monotonic() - began, f"restarts {run.result['restarts']}")


def drain(nodes, node, seconds):
    subprocess.run(
        [
            *(sys.executable, "-m", "ray.scripts.scripts", "drain-node", "--address", nodes.address),
            *("--node-id", node.node_id, "--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "taken away"),
            *("--deadline-remaining-seconds", str(seconds)),
        ],
        check=True,
        capture_output=True,
    )


def test_a_node_that_is_taken_away_with_notice(start, ray_nodes, tmp_path):
    """A checkpoint before it goes, though none is due before the end of a long epoch; the workers go on elsewhere."""
    node = ray_nodes.add_node(num_cpus=4)
    sizes = {"files": 32, "rows": 500}
    long = write_tables(tmp_path / "long", **sizes)
    run = start(2, every=10**6, epochs=1, data=long)
    run.wait_for_step(10)
    drain(ray_nodes, node, 60)
    began = time.monotonic()
    until(lambda: list((tmp_path / "checkpoints").glob("epoch_0_step_*")) or not run.is_running(), "a checkpoint")
    assert run.is_running()
    note("node drained: until its checkpoint", time.monotonic() - began, f"step {run.step}")
    ray_nodes.remove_node(node, allow_graceful=False)
    assert run.end() == 0, errors(tmp_path)[-2000:]
    assert run.result["restarts"] >= 1
    assert run.result["rows"] == rows_in_tables(**sizes)
    assert run.result["rows_repeated"] == 0


@contextlib.contextmanager
def blind_node(nodes, folder):
    """A node with a disk of its own in place of this folder, as a machine that does not mount it has."""
    start = (
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--address",
        nodes.address,
        "--num-cpus",
        "4",
        "--block",
    )
    mounted = f"mount -t tmpfs tmpfs {shlex.quote(str(folder))} && exec {shlex.join(start)}"
    process = subprocess.Popen(["unshare", "--mount", "sh", "-c", mounted], stdout=subprocess.DEVNULL)
    try:
        until(lambda: len(living(nodes)) > 1 or process.poll() is not None, "the node")
        if process.poll() is not None:
            pytest.skip("this user may not mount folders")
        yield
    finally:
        process.terminate()
        process.wait(60)


def living(nodes):
    """The nodes that Ray counts as alive."""
    listed = subprocess.run(
        [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", nodes.address],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    active = listed.partition("Active:")[2].partition("Pending:")[0]
    return [line for line in active.splitlines() if "node_" in line]


@pytest.mark.parametrize("when", ["start", "restart"])
def test_a_node_that_does_not_see_the_checkpoints(start, when, tmp_path):
    """The run is refused in a line, at the start and when workers are started again there; nothing begins from 0."""
    root = tmp_path / "shared"
    root.mkdir()
    with cluster_with_head(num_cpus=4) as nodes:
        began = time.monotonic()
        if when == "start":
            with blind_node(nodes, root):
                run = start(2, root=root, more={"RAY_ADDRESS": nodes.address})
                code = run.end()
        else:
            run = start(2, root=root, more={"RAY_ADDRESS": nodes.address})
            run.wait_for_step(40)
            until(lambda: list(root.glob("epoch_*")), "a checkpoint")
            with blind_node(nodes, root):
                for process in ray_processes("RayTrainWorker"):
                    kill(process)
                code = run.end()
    assert code == 1
    assert "is not the same on all machines of the run" in errors(tmp_path), errors(tmp_path)[-2000:]
    assert (run.step == 0) == (when == "start")
    assert not list(root.glob(".running*"))
    note(f"node that does not see the folder, {when}", time.monotonic() - began, "refused")


@pytest.mark.parametrize("kind", ["memory", "stream"])
def test_elastic_workers(start, unbroken, kind, tmp_path):
    """A node comes, and a worker for each of its CPUs; it is lost, and they are gone."""
    with cluster_with_head(num_cpus=2) as nodes:
        began = time.monotonic()
        more = {"RAY_ADDRESS": nodes.address}
        run = start("1:4", kind=kind, more=more, epochs=ELASTIC_EPOCHS, resize_seconds=3)
        run.wait_for_step(20)
        number = [len(ray_processes("RayTrainWorker"))]
        node = nodes.add_node(num_cpus=2)
        until(lambda: len(ray_processes("RayTrainWorker")) == 4 or not run.is_running(), "more workers")
        number.append(len(ray_processes("RayTrainWorker")))
        run.wait_for_step(run.step + 40)
        nodes.remove_node(node, allow_graceful=False)
        until(lambda: len(ray_processes("RayTrainWorker")) == 2 or not run.is_running(), "fewer workers")
        number.append(len(ray_processes("RayTrainWorker")))
        assert run.end() == 0, errors(tmp_path)[-2000:]
    assert number == [2, 4, 2]
    folder, expected = unbroken(kind, 0, 0.0, epochs=ELASTIC_EPOCHS)
    assert run.result["order_hash"] == expected["order_hash"]
    assert run.result["rows_repeated"] == 0
    assert run.result["restarts"] >= 2
    assert same_weights(tmp_path, folder, exact=False)
    told = f"step {run.step}, restarts {run.result['restarts']}"
    note(f"elastic 1:4, workers 2, 4, 2, {kind}", time.monotonic() - began, told)


def test_a_full_disk(start, tmp_path):
    """A checkpoint that does not fit ends the run with a line that says so; those before stay whole."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        run = start(0, root=str(small))
        assert run.end() == 1
        assert "No space left on device" in errors(tmp_path)
        assert not [path.name for path in small.iterdir() if ".writing-" in path.name]
        note("full disk", time.monotonic() - run.started, errors(tmp_path).strip().splitlines()[-1][:110])
    finally:
        subprocess.run(["umount", str(small)], check=True)


class Failing:
    """A server in front of another one, which answers every third request with 503."""

    def __init__(self, application):
        self.application, self.requests, self.lock = application, 0, threading.Lock()

    def __call__(self, environ, start_response):
        with self.lock:
            self.requests += 1
            fails = self.requests % 3 == 0
        if fails:
            size = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"].read(size)
            start_response("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        return self.application(environ, start_response)


@pytest.fixture
def failing_store():
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    application = Failing(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield (
        {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        application,
    )
    server.shutdown()


def test_a_store_that_fails_every_third_request(start, unbroken, failing_store, tmp_path):
    """Data and checkpoints there; killed and gone on with all the same."""
    more, application = failing_store
    subprocess.run(
        [sys.executable, "-c", "import boto3; boto3.client('s3').create_bucket(Bucket='data')"],
        env={**os.environ, **more},
        check=True,
    )
    run = start(0, more=more, root="s3://data/run", every=40)
    run.wait_for_step(150)
    run.kill()
    run.end()
    run = start(0, more=more, root="s3://data/run", every=40)
    assert run.end() == 0, errors(tmp_path)[-2000:]
    folder, expected = unbroken("stream", 0, 0.0)
    assert run.result["resumed_from"].startswith("s3://data/run/epoch_")
    assert run.result["order_hash"] == expected["order_hash"]
    assert same_weights(tmp_path, folder, exact=True)
    note("S3 that fails every third request", time.monotonic() - run.started, f"{application.requests} requests")

"""Whatever is killed, whenever: the run ends as the one that nobody touched.

    pytest -m chaos tests/chaos

Every case has a seed, which says when. The order hash says which rows each step used, so equal hashes mean that every
row was used as in the unbroken run: once per epoch.
"""

import os
import random
import signal
import time

import pytest

from tests.chaos.conftest import ROWS, TABLES
from tests.chaos.harness import Run, is_writing, kill, ray_processes, same_weights, until
from tests.stream_runs import rows_in_tables

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

EPOCH_ROWS = rows_in_tables(**TABLES)
STEPS_TO_KILL_IN = (2, 330)


class Case:
    """One broken run: starts, kills, goes on, compares."""

    def __init__(self, name, kind, seed, out, fixtures, *, dropout=0.1):
        self.model, self.data, self.environment, self.unbroken = fixtures
        self.name, self.kind, self.seed, self.out, self.dropout = name, kind, seed, out, dropout
        self.random = random.Random(f"{name} {kind} {seed}")
        self.step = self.random.randint(*STEPS_TO_KILL_IN)
        self.runs = []

    def start(self, workers, **options):
        run = Run(
            self.out,
            kind=self.kind,
            workers=workers,
            model=self.model,
            data=self.data,
            dropout=self.dropout,
            environment=self.environment(workers),
            **options,
        )
        self.runs.append(run)
        return run

    def wait(self, run):
        """Until the case's step, and a few milliseconds more."""
        run.wait_for_step(self.step)
        time.sleep(self.random.random() * 0.05)

    def compare(self, workers, *, exact=True):
        """The last run against the unbroken one."""
        last = self.runs[-1]
        code = last.end()
        assert code == 0, (self.out / "stderr.txt").read_text()[-3000:]
        folder, expected = self.unbroken(self.kind, workers, self.dropout)
        result = last.result
        assert result["order_hash"] == expected["order_hash"]
        assert result["rows"] == expected["rows"] == 2 * EPOCH_ROWS
        assert result["rows_repeated"] == 0
        assert result["steps"] == expected["steps"]
        equal = same_weights(self.out, folder, exact=exact)
        at = f"step {self.step}"
        ROWS.append(
            f"{self.name:28} {self.kind:7} seed {self.seed} {at:9} restarts {result['restarts']} starts {len(self.runs)} "
            f"weights {'equal' if exact and equal else 'close' if equal else 'DIFFER'}"
        )
        assert equal


@pytest.fixture
def case(tiny_folder, data, environment, unbroken, tmp_path):
    def make(name, kind, seed, **options):
        return Case(name, kind, seed, tmp_path, (tiny_folder, data, environment, unbroken), **options)

    return make


KINDS = pytest.mark.parametrize("kind", ["memory", "stream"])


def seeds(number):
    return pytest.mark.parametrize("seed", range(number))


@KINDS
@seeds(4)
def test_one_process_sigkill(case, kind, seed):
    broken = case("process SIGKILL", kind, seed)
    run = broken.start(0)
    broken.wait(run)
    run.kill()
    assert run.end() == -signal.SIGKILL
    broken.start(0)
    broken.compare(0)


@KINDS
@seeds(3)
def test_one_process_sigterm(case, kind, seed):
    broken = case("process SIGTERM", kind, seed)
    run = broken.start(0)
    broken.wait(run)
    run.kill(signal.SIGTERM)
    assert run.end() == 75
    broken.start(0)
    broken.compare(0)


@KINDS
@seeds(4)
def test_one_process_sigkill_while_it_writes_a_checkpoint(case, kind, seed):
    broken = case("process SIGKILL in a write", kind, seed)
    run = broken.start(0)
    run.wait_for_step(broken.step)
    until(lambda: is_writing(broken.out) or not run.is_running(), "a checkpoint")
    time.sleep(broken.random.random() * 0.02)
    run.kill()
    assert run.end() == -signal.SIGKILL
    broken.start(0)
    broken.compare(0)


@KINDS
@seeds(2)
def test_one_process_killed_again_and_again(case, kind, seed):
    broken = case("process SIGKILL 3 times", kind, seed)
    for part in (3, 2, 1):
        run = broken.start(0)
        run.wait_for_step(broken.step // part)
        run.kill()
        run.end()
    broken.start(0)
    broken.compare(0)


@KINDS
@seeds(3)
def test_driver_on_ray_sigkill(case, kind, seed):
    broken = case("driver SIGKILL", kind, seed)
    run = broken.start(2)
    broken.wait(run)
    run.kill()
    run.end()
    until(lambda: not ray_processes("RayTrainWorker"), "the end of its workers")
    broken.start(2)
    broken.compare(2)


@KINDS
@seeds(2)
def test_driver_on_ray_sigterm(case, kind, seed):
    broken = case("driver SIGTERM", kind, seed)
    run = broken.start(2)
    broken.wait(run)
    run.kill(signal.SIGTERM)
    assert run.end() == 75
    broken.start(2)
    broken.compare(2)


@KINDS
@seeds(3)
def test_worker_sigkill(case, kind, seed):
    """Ray Train starts the workers again; the job ends as if nothing had happened."""
    broken = case("worker SIGKILL", kind, seed)
    run = broken.start(2)
    broken.wait(run)
    kill(broken.random.choice(ray_processes("RayTrainWorker")))
    broken.compare(2)
    assert run.result["restarts"] == 1


@KINDS
@seeds(2)
def test_worker_sigkill_while_it_writes_a_checkpoint(case, kind, seed):
    broken = case("worker SIGKILL in a write", kind, seed)
    run = broken.start(2)
    run.wait_for_step(broken.step)
    until(lambda: is_writing(broken.out), "a checkpoint")
    for worker in ray_processes("RayTrainWorker"):
        kill(worker)
    broken.compare(2)
    assert run.result["restarts"] == 1


@KINDS
def test_worker_sigterm(case, kind):
    """As a machine that shuts down sends it to every process; for Ray a lost worker like any other."""
    broken = case("worker SIGTERM", kind, 0)
    run = broken.start(2)
    broken.wait(run)
    os.kill(broken.random.choice(ray_processes("RayTrainWorker")), signal.SIGTERM)
    broken.compare(2)
    assert run.result["restarts"] == 1


@seeds(3)
def test_data_task_sigkill(case, seed):
    """Ray does a lost task again; the training does not notice."""
    broken = case("data task SIGKILL", "stream", seed)
    # Of the second epoch all has been read long before its end.
    broken.step = broken.step * 2 // 3
    run = broken.start(2, slow_data=True)
    broken.wait(run)
    killed = 0
    while not killed and run.is_running():
        killed = sum(kill(task) for task in ray_processes("ReadSplits"))
    assert killed
    broken.compare(2)
    assert run.result["restarts"] == 0


@KINDS
@pytest.mark.parametrize(("first", "then"), [(0, 2), (2, 0), (2, 1), (1, 3)])
def test_another_number_of_workers_goes_on(case, kind, first, then):
    """Without dropout, whose draws belong to a worker."""
    broken = case(f"{first} -> {then} workers SIGKILL", kind, 0, dropout=0.0)
    run = broken.start(first)
    broken.wait(run)
    run.kill()
    run.end()
    broken.start(then)
    broken.compare(0, exact=False)


@KINDS
@seeds(2)
def test_node_lost(case, kind, seed, ray_nodes):
    """With one of its workers; the others' node takes it over."""
    broken = case("node lost", kind, seed)
    node = ray_nodes.add_node(num_cpus=4)
    run = broken.start(2)
    broken.wait(run)
    ray_nodes.remove_node(node, allow_graceful=False)
    broken.compare(2)
    assert run.result["restarts"] >= 1

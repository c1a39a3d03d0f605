"""The same command on a cluster: `ray start --head`, `ray job submit`, logs followed, exit codes that come through."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A head node of its own on loopback, with a token; gives the environment in which `ray job` finds it."""
    # Ray's sockets lie below its folder, and their paths must be short.
    folder = Path("/tmp") / f"farm_ray-{secrets.token_hex(3)}"
    dashboard = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "1",
        "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}",
    }
    command = ["ray", "start", "--head", "--block", f"--port={free_port()}", f"--temp-dir={folder}", "--num-cpus=4"]
    command += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
    # The agent has a fixed port by default, which a second Ray on this machine would miss.
    command += [f"--dashboard-agent-listen-port={free_port()}", "--disable-usage-stats"]
    log = (tmp_path_factory.mktemp("head") / "log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    # The server answers before its agent can start jobs.
    trivial = ["ray", "job", "submit", "--no-wait", "--", "true"]
    for _ in range(60):
        if subprocess.run(trivial, env=environment, capture_output=True, check=False).returncode == 0:
            break
        time.sleep(1)
    yield environment
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rows = "".join(f"a {word} film {number}\t{word}\n" for number in range(20) for word in ("good", "bad"))
    (folder / "train.tsv").write_text("text\tlabel\n" + rows)
    return folder


def submit(head, *flags, name):
    command = [
        "ray",
        "job",
        "submit",
        "--submission-id",
        name,
        "--working-dir",
        ".",
        "--",
        "python",
        "-m",
        "jobs.train",
    ]
    return subprocess.run(
        [*command, "pipelines.text_classification", *map(str, flags)],
        env=head,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def status_of_the_jobs_api(head, token):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    asked = urllib.request.Request(f"{head['RAY_API_SERVER_ADDRESS']}/api/jobs/", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def driver_exit_code(head, name):
    program = (
        "from ray.job_submission import JobSubmissionClient as Client\n"
        f"print(Client().get_job_info({name!r}).driver_exit_code)"
    )
    done = subprocess.run([sys.executable, "-c", program], env=head, capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1])


def test_the_jobs_api_asks_for_the_token(head):
    assert status_of_the_jobs_api(head, None) == 401
    assert status_of_the_jobs_api(head, "wrong") == 403
    assert status_of_the_jobs_api(head, head["RAY_AUTH_TOKEN"]) == 200


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"RAY_AUTH_TOKEN": "wrong"}, "the authentication token is invalid or incorrect"),
        ({"RAY_AUTH_MODE": "disabled"}, "Missing authentication token"),
    ],
)
def test_no_job_without_the_right_token(head, data_dir, tmp_path, change, told):
    flags = ["--data-dir", data_dir, "--model", tmp_path, "--output-dir", tmp_path / "out"]
    done = submit(head | change, *flags, name="refused")
    assert done.returncode != 0
    assert told in done.stdout + done.stderr
    assert head["RAY_AUTH_TOKEN"] not in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_a_job_runs_to_the_end_and_its_logs_are_followed(head, data_dir, tiny_folder, tmp_path):
    flags = ["--data-dir", data_dir, "--model", tiny_folder, "--output-dir", tmp_path / "out", "--num-workers", "1"]
    settings = {"processor.label_list": "[good,bad]", "processor.max_seq_len": 16, "train.epochs": 1}
    flags += [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    done = submit(head, *flags, name="good")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    results = [line for line in done.stdout.splitlines() if line.startswith('{"status"')]
    assert json.loads(results[-1])["status"] == "ok"
    assert (tmp_path / "out" / "model" / "model.safetensors").is_file()
    assert driver_exit_code(head, "good") == 0


def test_a_failing_job_makes_the_command_fail(head, data_dir, tiny_folder, tmp_path):
    flags = ["--data-dir", data_dir, "--model", tiny_folder, "--output-dir", tmp_path / "out", "--set", "train.epoch=1"]
    done = submit(head, *flags, name="bad")
    assert done.returncode != 0
    assert 'unknown key "train.epoch"; did you mean "train.epochs"?' in done.stdout
    assert driver_exit_code(head, "bad") == 2
    assert not (tmp_path / "out").exists()

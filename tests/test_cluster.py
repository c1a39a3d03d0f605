"""Starting, joining and leaving Ray, and the launcher's cluster.yaml."""

import copy
import http.server
import os
import signal
import socket
import tempfile
import threading
from pathlib import Path

import pytest
import yaml

from farm_ray import cluster
from farm_ray.cluster import address as cluster_address
from farm_ray.cluster import connection, machine
from farm_ray.cluster import processes as cluster_processes
from farm_ray.errors import ClusterError, ConfigError, DataProblemError
from jobs import train
from jobs.experiment_flags import experiment_from

CLUSTER_YAML = Path(__file__).parent.parent / "cluster.yaml"


@pytest.fixture(autouse=True)
def no_cluster_around(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # Short: the paths of Ray's sockets, which lie below, may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="r-") as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield


def closed_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_an_error_of_a_task_is_told_without_rays_advice_on_retries():
    advice = "Failed to apply UDF transform after 1/1 attempts.\nTo change retry attempts, configure this and that."
    error = RuntimeError(f"ray::Map (pid=1)\n  File x\nTypeError: no such layer\n\n{advice}")
    assert str(cluster.cause_of(error)) == "Ray could not finish the work: TypeError: no such layer"


def test_nothing_around_means_a_local_ray():
    assert cluster_address.running_cluster(None) is None
    assert cluster_address.running_cluster("local") is None


def test_auto_needs_a_cluster_on_this_machine():
    with pytest.raises(ClusterError, match="ray start --head"):
        cluster_address.running_cluster("auto")


def test_a_note_of_a_cluster_that_is_gone_is_passed_over(tmp_path):
    (Path(os.environ["RAY_TMPDIR"]) / "ray").mkdir()
    (Path(os.environ["RAY_TMPDIR"]) / "ray" / "ray_current_cluster").write_text(f"127.0.0.1:{closed_port()}\n")
    assert cluster_address.running_cluster(None) is None


def test_unreachable_address_is_an_error_that_names_it():
    address = f"127.0.0.1:{closed_port()}"
    with pytest.raises(ClusterError, match=address):
        cluster_address.running_cluster(address)


def test_a_web_server_is_no_cluster():
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(ClusterError, match="does not answer"):
            cluster_address.running_cluster(f"127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()


@pytest.mark.parametrize("address", ["nonsense", "host:", ":6379", "host:99999", "host:port", "me@host:6379"])
def test_malformed_address(address):
    with pytest.raises(ConfigError, match="host:port"):
        cluster_address.running_cluster(address)


def test_an_address_with_a_password_is_refused_without_telling_it():
    with pytest.raises(ConfigError, match=r'not "host:6379"$'):
        cluster_address.running_cluster("me:secret@host:6379")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8265", "ray://127.0.0.1:10001"])
def test_a_dashboard_address_points_to_job_submit(address):
    with pytest.raises(ConfigError, match="ray job submit"):
        cluster_address.running_cluster(address)


def test_the_probe_sends_the_token_ray_would_send(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    assert cluster_address._token() is None
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert cluster_address._token() is None
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    assert cluster_address._token() == "from-file"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "from-environment")
    assert cluster_address._token() == "from-environment"


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


class RayLikeError(Exception):
    def __init__(self, cause=None, worker_failures=None):
        super().__init__("wrapped")
        self.cause = cause
        self.worker_failures = worker_failures or {}


def test_our_error_is_found_inside_rays_wrappers():
    ours = DataProblemError("train.tsv:7: bad", row=7)
    outer = RayLikeError(worker_failures={0: RayLikeError(cause=ours)})
    assert cluster.underlying_error(outer) is ours
    assert cluster.underlying_error(ours) is ours


def test_an_error_that_is_not_ours_stays():
    error = RayLikeError(cause=ValueError("x"))
    assert cluster.underlying_error(error) is error
    error.cause = error
    assert cluster.underlying_error(error) is error


def test_rays_advice_is_taken_off_our_message():
    error = DataProblemError("train.tsv:7: bad\nFailed to apply UDF transform after 1/1 attempts", row=7)
    found = cluster.underlying_error(RayLikeError(cause=error))
    assert str(found) == "train.tsv:7: bad"
    assert found.facts == {"row": 7}


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


def test_processes_of_a_session_are_recognised_by_their_open_files(tmp_path):
    for process, target in {
        "11": "session_2026-01-02_03-04-05_678_77/logs/a.out",
        "12": "session_1-1_1-1_1_770/x",
    }.items():
        (tmp_path / process / "fd").mkdir(parents=True)
        (tmp_path / process / "fd" / "1").symlink_to(Path("/tmp/ray") / target)
    assert cluster_processes.started_by(77, tmp_path) == [11]


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


@pytest.mark.cluster
def test_our_errors_come_back_from_ray_as_they_are(ray_cluster):
    import ray

    cluster.data_context()

    def fail(_batch):
        raise DataProblemError("train.tsv:7: bad", row=7)

    with pytest.raises(Exception) as caught:
        ray.data.range(2, override_num_blocks=1).map_batches(fail, num_cpus=0.25).materialize()
    found = cluster.underlying_error(caught.value)
    assert (type(found), str(found), found.facts) == (DataProblemError, "train.tsv:7: bad", {"row": 7})


def launcher_config():
    return yaml.safe_load(CLUSTER_YAML.read_text(encoding="utf-8"))


def validated(config):
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared = prepare_config(copy.deepcopy(config))
    validate_config(prepared)
    return prepared


def test_cluster_yaml_fits_rays_schema():
    prepared = validated(launcher_config())
    commands = " ".join(prepared["head_start_ray_commands"] + prepared["setup_commands"])
    assert "0.0.0.0" not in commands
    assert "ray-wheels" not in commands


def test_cluster_yaml_has_what_the_readme_promises():
    config = launcher_config()
    worker = config["available_node_types"]["gpu_worker"]
    assert config["provider"]["region"]
    assert worker["min_workers"] == 0
    assert 0 < worker["max_workers"] <= config["max_workers"]
    assert worker["resources"]["GPU"] == 1
    assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert "GPU" not in config["available_node_types"][config["head_node_type"]]["resources"]
    assert any("pip install" in command for command in config["setup_commands"])


def test_every_machine_of_cluster_yaml_reaches_what_its_example_names():
    """Folders that nothing mounts are the head's; the rest is s3://, to which each machine has a profile of its own."""
    config = launcher_config()
    kinds = config["available_node_types"]
    profiles = {name: kind["node_config"]["IamInstanceProfile"]["Name"] for name, kind in kinds.items()}
    assert len(set(profiles.values())) == len(kinds)
    head, text = config["head_node_type"], CLUSTER_YAML.read_text()
    assert all(name in text.partition("cluster_name")[0] for name in profiles.values())
    assert "IamInstanceProfile" in validated(config)["available_node_types"][head]["node_config"]
    command = " ".join(line.lstrip("# ").rstrip("\\") for line in text.splitlines() if line.startswith("#"))
    words = command[command.index("python -m jobs.train") : command.index("ray rsync-down")].split()[3:]
    arguments = train.make_parser().parse_args(words)
    assert arguments.output_dir.startswith(f"/home/{config['auth']['ssh_user']}/")
    assert arguments.data_dir.startswith("s3://")
    assert experiment_from(arguments).train.checkpoint_root_dir.startswith("s3://")


@pytest.mark.parametrize("key", ["provider", "head_node_type"])
def test_the_schema_check_can_fail(key):
    config = launcher_config()
    del config[key]
    with pytest.raises(Exception, match=r"."):
        validated(config)


def test_the_schema_check_finds_a_typo():
    config = launcher_config()
    config["idle_timeout_minute"] = 5
    with pytest.raises(Exception, match="idle_timeout_minute"):
        validated(config)

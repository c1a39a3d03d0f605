"""Which cluster an address means, and whether one answers there."""

import http.server
import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from farm_ray.cluster import address as cluster_address
from farm_ray.errors import ClusterError, ConfigError
from tests.raised import raised


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
    with raised(ClusterError, "cluster-unreachable", value=address):
        cluster_address.running_cluster(address)


def test_a_web_server_is_no_cluster():
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with raised(ClusterError, "cluster-unreachable"):
            cluster_address.running_cluster(f"127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()


@pytest.mark.parametrize("address", ["nonsense", "host:", ":6379", "host:99999", "host:port", "me@host:6379"])
def test_malformed_address(address):
    with raised(ConfigError, "invalid-address"):
        cluster_address.running_cluster(address)


def test_an_address_with_a_password_is_refused_without_telling_it():
    with raised(ConfigError, "invalid-address", value="host:6379"):
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

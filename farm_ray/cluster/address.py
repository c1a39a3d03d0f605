"""Which Ray cluster to join, and whether it answers. Imports no ray: a wrong address must fail before ray.init."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from farm_ray.errors import ClusterError, ConfigError

logger = logging.getLogger(__name__)

_PROBE_SECONDS = 3.0
_GCS_METHOD = "/ray.rpc.NodeInfoGcsService/CheckAlive"


def running_cluster(wanted: str | None) -> str | None:
    """`host:port` of the cluster to join, asked whether it answers; None when a local one is to be started.

    Args:
        wanted: `host:port`, `auto` (the cluster `ray start` began here), `local`, or None for auto, else local.

    Raises:
        ConfigError: When `wanted` has another form.
        ClusterError: When the wanted cluster does not answer within some seconds, or asks for another token.
    """
    if wanted == "local":
        return None
    target = wanted
    if wanted in {None, "auto"}:
        target = _last_started()
    if target is None:
        if wanted is None:
            return None
        raise ClusterError(
            "no Ray runs on this machine; start one with `ray start --head` or leave out the address",
            code="no-cluster-here",
        )
    refusal = _refusal(*_host_and_port(target))
    if refusal is None:
        return target
    if wanted is None:
        logger.info("the Ray cluster last started here, %s, %s; starting a local one", target, refusal)
        return None
    raise ClusterError(
        f"the Ray cluster at {target} {refusal}; without --address a local Ray is started",
        code="cluster-unreachable",
        value=target,
    )


def _host_and_port(address: str) -> tuple[str, int]:
    if "://" in address:
        way_out = f"to send a job to a cluster's dashboard, use: ray job submit --address {address} -- python -m ..."
        raise ConfigError(
            f'the address must be host:port, not "{address}"; {way_out}', code="invalid-address", value=address
        )
    host, colon, port = address.rpartition(":")
    if not colon or not host or "@" in host or not port.isdigit() or not 0 < int(port) < 2**16:
        # A token or password in front of an @ has no business here, nor in the message.
        shown = address.rpartition("@")[2]
        raise ConfigError(
            f'the address must be host:port, "auto" or "local", not "{shown}"', code="invalid-address", value=shown
        )
    return host.strip("[]"), int(port)


def _refusal(host: str, port: int) -> str | None:
    """Why there is no joining the GCS there; None when it answers.

    Asked before ray.init, which at any other server waits long and then ends the whole process.
    """
    import grpc

    bare_host = f"[{host}]" if ":" in host else host
    token = _token()
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(f"{bare_host}:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            channel.unary_unary(_GCS_METHOD)(b"", timeout=_PROBE_SECONDS, metadata=metadata)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                return "asks for another token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to the cluster's own"
            return "does not answer; check host and port (the GCS port, 6379 unless set otherwise)"
    return None


def _token() -> str | None:
    """The token ray.init would send, None without token authentication."""
    if os.environ.get("RAY_AUTH_MODE") != "token":
        return None
    if os.environ.get("RAY_AUTH_TOKEN"):
        return os.environ["RAY_AUTH_TOKEN"]
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return None


def _last_started() -> str | None:
    """What `ray start` noted about the last cluster on this machine."""
    note = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"  # noqa: S108 - Ray's own path
    try:
        return note.read_text().strip() or None
    except OSError:
        return None

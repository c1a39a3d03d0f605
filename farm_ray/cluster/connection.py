"""Starts, joins and leaves Ray: the only place that does. Importing it does not import ray."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import secrets
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

from farm_ray.cluster import processes
from farm_ray.cluster.address import running_cluster
from farm_ray.cluster.machine import cores
from farm_ray.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_CONNECT_SECONDS = "5"
_FEWEST_LOGICAL_CPUS = 4
_NO_PROGRESS_SECONDS = 120
_CHATTY_LOGGERS = ("ray.data", "ray.train", "ray.tune")

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "1",
}
_CONNECTING = {
    "RAY_gcs_rpc_server_connect_timeout_s": _CONNECT_SECONDS,
    "RAY_gcs_rpc_server_reconnect_timeout_s": _CONNECT_SECONDS,
}
_LOCAL = {
    "PYTHONWARNINGS": "ignore",
    # Ray would run its workers, the training ones too, below everything else on the machine.
    "RAY_worker_niceness": "0",
    "RAY_AUTH_MODE": "token",
    # Ray's own name for "this machine only": node, GCS and workers then listen on 127.0.0.1.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Where torch's ranks meet; its own choice is the address that the machine's name stands for.
    "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
}


class _Connection:
    """What `connect` did in this process, so that `disconnect` undoes that and nothing else."""

    made_by_us = False
    variables_set: list[str] = []  # noqa: RUF012 - one per process on purpose
    is_local = False


def connect(address: str | None = None) -> None:
    """Joins the cluster at `address`, or the one this process runs in, or starts a local Ray; quick when connected.

    Without `address`: RAY_ADDRESS (set inside `ray job submit`), else a cluster that `ray start` began on this
    machine, else a new local Ray that listens on loopback only and asks for a token that nobody else knows.
    Ctrl-C waits until Ray stands (a second one does not), so that nothing is left half-started.

    Args:
        address: `host:port` of a cluster's GCS, `auto`, `local`, or None.

    Raises:
        ConfigError: When `address` has another form.
        ClusterError: When the cluster cannot be reached (after some seconds) or Ray does not start.
    """
    if is_connected():
        return
    wanted = address or os.environ.get("RAY_ADDRESS") or None
    target = running_cluster(wanted)
    if target is not None and _join(target, required=wanted is not None):
        return
    _start_local()


def is_connected() -> bool:
    """Whether this process has a Ray connection, ours or not."""
    ray = sys.modules.get("ray")
    return bool(ray and hasattr(ray, "is_initialized") and ray.is_initialized())


def disconnect() -> None:
    """Leaves the cluster `connect` joined, or ends the local Ray it started and waits for its processes.

    Does nothing when there is no connection, or when someone else made it.
    """
    if not _Connection.made_by_us:
        return
    with _interrupt_waits():
        _leave()


def is_local() -> bool:
    """Whether this process started the Ray it works with; such a one never grows."""
    return _Connection.is_local


def all_cores() -> int:
    """Cores of the whole cluster, at least 1; this process must be connected."""
    import ray

    alone = sum(node["Alive"] for node in ray.nodes()) == 1
    # Ray's CPUs are bookkeeping on one machine; across machines there is no better number.
    return cores() if alone else max(1, int(ray.cluster_resources().get("CPU", 1)))


def data_context() -> Any:
    """Ray Data's context with our settings; call it before building a dataset.

    A hang becomes an error after two minutes, and errors of our own keep their type on the way to the driver.
    """
    from ray.data import DataContext

    context = DataContext.get_current()
    context.execution_no_progress_timeout_s = _NO_PROGRESS_SECONDS
    context.raise_original_map_exception = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    _quieten()
    return context


def _join(target: str, *, required: bool) -> bool:
    """Whether the cluster took us; a refusal is an error only where this very cluster was asked for."""
    _set_environment({**_QUIET, **_CONNECTING})
    import ray

    try:
        with _interrupt_waits():
            ray.init(address=target, logging_level=logging.ERROR, log_to_driver=False)
            _Connection.made_by_us = True
    except Exception as error:
        _restore_environment()
        if required:
            raise ClusterError(
                f"the Ray cluster at {target} refuses: {_one_line(error)}", code="cluster-refuses", value=target
            ) from error
        logger.warning("the Ray cluster at %s refuses (%s); starting a local one", target, _one_line(error))
        return False
    _quieten()
    return True


def _start_local() -> None:
    logger.info("starting a local Ray")
    _set_environment({**_QUIET, **_LOCAL})
    if os.environ["RAY_AUTH_MODE"] == "token" and not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        # One token per process: Ray reads it once. It lives in the environment only, never on disk.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    _loopback_only(os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0")
    _reread_settings()
    try:
        _Connection.made_by_us = _Connection.is_local = True
        with _interrupt_waits():
            # The dashboard stays off: it costs memory, and nothing here asks it anything.
            ray.init(
                address="local",
                num_cpus=max(_FEWEST_LOGICAL_CPUS, cores()),
                include_dashboard=False,
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
    except BaseException as error:
        disconnect()
        if not isinstance(error, Exception):
            raise
        raise ClusterError(
            f"Ray does not start on this machine: {_one_line(error)}", code="ray-does-not-start"
        ) from error
    _quieten()


def _leave() -> None:
    import ray

    try:
        ray.shutdown(wait_for_processes=True)
    finally:
        if _Connection.is_local:
            processes.end_all(os.getpid())
        _Connection.made_by_us = _Connection.is_local = False
        _loopback_only(on=False)
        _restore_environment()


def _loopback_only(on: bool) -> None:
    """Ray reads the variable when it is imported, which may have been before `connect`."""
    from ray._private import ray_constants

    if sys.platform == "linux":
        ray_constants.ENABLE_RAY_CLUSTER = not on


def _reread_settings() -> None:
    """Ray's core takes the RAY_ variables when it is imported; that may have been before they were set."""
    raylet: Any = importlib.import_module("ray._raylet")
    raylet.Config.initialize("")


def _set_environment(values: dict[str, str]) -> None:
    for name, value in values.items():
        if name not in os.environ:
            _Connection.variables_set.append(name)
            os.environ[name] = value


def _restore_environment() -> None:
    for name in _Connection.variables_set:
        if name != "RAY_AUTH_MODE":  # belongs to the token, which stays
            os.environ.pop(name, None)
    _Connection.variables_set = []


def _quieten() -> None:
    """What Ray logs as an error it also raises; users read the one line we make of it."""
    warnings.filterwarnings("ignore", module=r"ray\.")
    for name in _CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


@contextlib.contextmanager
def _interrupt_waits() -> Iterator[None]:
    """Holds the first Ctrl-C back until the end of the block, and keeps the signal handlers there are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def hold(number: int, _frame: object) -> None:
        if held:
            signal.signal(signal.SIGINT, before)
            signal.raise_signal(number)
        held.append(number)

    signal.signal(signal.SIGINT, hold)
    try:
        with _ray_leaves_sigterm():
            yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _ray_leaves_sigterm() -> Iterator[None]:
    """ray.init would put a handler of its own in place, which ends the process in the middle of Ray's start.

    It puts another one in front of Python's, which prints a stack and aborts the process three seconds after the signal
    whatever Python's handler does; that one makes way for the handler that a program has set.
    """
    utils: Any = importlib.import_module("ray._private.utils")
    original = utils.set_sigterm_handler
    utils.set_sigterm_handler = lambda _handler: None
    try:
        yield
    finally:
        utils.set_sigterm_handler = original
        own = signal.getsignal(signal.SIGTERM)
        if callable(own):
            signal.signal(signal.SIGTERM, own)

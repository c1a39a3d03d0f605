"""The only place that starts, joins and leaves Ray. Importing it does not import ray."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm_ray.cluster_address import running_cluster
from farm_ray.errors import ClusterError, FarmRayError

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
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
}
_CONNECTING = {
    "RAY_gcs_rpc_server_connect_timeout_s": _CONNECT_SECONDS,
    "RAY_gcs_rpc_server_reconnect_timeout_s": _CONNECT_SECONDS,
}
_LOCAL = {
    "PYTHONWARNINGS": "ignore",
    "RAY_AUTH_MODE": "token",
    # Ray's own name for "this machine only": node, GCS and workers then listen on 127.0.0.1.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}


class _Connection:
    """What `connect` did in this process, so that `disconnect` undoes that and nothing else."""

    made_by_us = False
    environment_before: dict[str, str | None] = {}  # noqa: RUF012 - one per process on purpose


def connect(address: str | None = None) -> None:
    """Joins the cluster at `address`, or the one this process runs in, or starts a local Ray; quick when connected.

    Without `address`: RAY_ADDRESS (set inside `ray job submit`), else a cluster that `ray start` began on this
    machine, else a new local Ray that listens on loopback only and asks for a token that nobody else knows.
    Ctrl-C and SIGTERM wait until Ray stands (a second one does not), so that nothing is left half-started.

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
    with _signals_wait():
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
    with _signals_wait():
        _leave()


def cores() -> int:
    """Cores this process may use, at least 1: the machine's, less what the scheduler or the container forbids."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _container_cores(Path("/sys/fs/cgroup"))
    return max(1, min(allowed, share) if share else allowed)


def tokenizer_threads(processes: int = 1) -> int:
    """Threads for each of `processes` processes that run at once, at least 1 (for RAYON_NUM_THREADS and torch)."""
    return max(1, cores() // max(1, processes))


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
    _quieten_loggers()
    return context


def underlying_error(error: BaseException) -> BaseException:
    """The FarmRayError or KeyboardInterrupt inside Ray's wrappers, else `error` itself."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        inner = _inner_errors(current)
        if isinstance(current, FarmRayError) and not hasattr(current, "cause"):
            return _as_raised(current)
        if isinstance(current, KeyboardInterrupt):
            return current
        waiting += inner
    return error


def _as_raised(error: FarmRayError) -> FarmRayError:
    """Without the advice on retries that Ray Data appends to the message."""
    message, _, appended = str(error).partition("\nFailed to apply UDF")
    return type(error)(message, **error.facts) if appended else error


def _inner_errors(error: BaseException) -> list[BaseException]:
    failures = getattr(error, "worker_failures", None)
    found = [getattr(error, "cause", None), getattr(error, "controller_failure", None)]
    found += failures.values() if isinstance(failures, dict) else []
    found.append(error.__cause__)
    return [inner for inner in found if isinstance(inner, BaseException)]


def _join(target: str, *, required: bool) -> bool:
    """Whether the cluster took us; a refusal is an error only where this very cluster was asked for."""
    _set_environment({**_QUIET, **_CONNECTING})
    import ray

    try:
        ray.init(address=target, logging_level="error", log_to_driver=False)
    except Exception as error:
        _restore_environment()
        if required:
            raise ClusterError(f"the Ray cluster at {target} refuses: {_one_line(error)}", value=target) from error
        logger.warning("the Ray cluster at %s refuses (%s); starting a local one", target, _one_line(error))
        return False
    _Connection.made_by_us = True
    _quieten_loggers()
    return True


def _start_local() -> None:
    _set_environment({**_QUIET, **_LOCAL})
    if os.environ["RAY_AUTH_MODE"] == "token" and not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        # One token per process: Ray reads it once. It lives in the environment only, never on disk.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    _loopback_only(os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0")
    # The dashboard stays off: it costs memory, and nothing here asks it anything.
    options = {"include_dashboard": False, "logging_level": "error", "log_to_driver": False}
    _Connection.made_by_us = True
    try:
        ray.init(address="local", num_cpus=max(_FEWEST_LOGICAL_CPUS, cores()), **options)
    except Exception as error:
        _leave()
        raise ClusterError(f"Ray does not start on this machine: {_one_line(error)}") from error
    _quieten_loggers()


def _leave() -> None:
    import ray

    try:
        ray.shutdown(wait_for_processes=True)
    finally:
        _Connection.made_by_us = False
        _loopback_only(on=False)
        _restore_environment()


def _loopback_only(on: bool) -> None:
    """Ray reads the variable when it is imported, which may have been before `connect`."""
    from ray._private import ray_constants

    if sys.platform == "linux":
        ray_constants.ENABLE_RAY_CLUSTER = not on


def _set_environment(values: dict[str, str]) -> None:
    for name, value in values.items():
        if name not in os.environ:
            _Connection.environment_before.setdefault(name, None)
            os.environ[name] = value


def _restore_environment() -> None:
    for name in _Connection.environment_before:
        if name != "RAY_AUTH_MODE":  # belongs to the token, which stays
            os.environ.pop(name, None)
    _Connection.environment_before = {}


def _quieten_loggers() -> None:
    """What Ray logs as an error it also raises; users read the one line we make of it."""
    for name in _CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _container_cores(root: Path) -> int | None:
    """The whole cores a cgroup (version 2, then 1) allows; None where there is no limit."""
    with contextlib.suppress(OSError, ValueError):
        quota, period = (root / "cpu.max").read_text().split()
        return None if quota == "max" else math.ceil(int(quota) / int(period))
    with contextlib.suppress(OSError, ValueError):
        quota_us = int((root / "cpu/cpu.cfs_quota_us").read_text())
        period_us = int((root / "cpu/cpu.cfs_period_us").read_text())
        return math.ceil(quota_us / period_us) if quota_us > 0 else None
    return None


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Holds the first SIGINT and SIGTERM back until the end of the block, and keeps the handlers Ray would replace."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _frame: Any) -> None:
        if held:
            signal.signal(number, before[number])
            signal.raise_signal(number)
        held.append(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if held:
            signal.raise_signal(held[0])

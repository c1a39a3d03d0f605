"""Which process of which machine: told apart across machines, containers and restarts of both."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from pathlib import Path

_PROC = Path("/proc")
_DEAD = {"Z", "X"}
"""States of a process that has ended; without a parent that asks, it may stay listed for ever."""


@functools.cache
def machine() -> str:
    """Where process ids mean the same, as eight digits: the host since its last start, and the container in it.

    Hosts that are cloned share their name, and containers of one host its start.
    """
    return hashlib.sha256(f"{socket.gethostname()} {_boot()} {_container()}".encode()).hexdigest()[:8]


def started_at(process: int) -> str | None:
    """What distinguishes two processes that had the same id one after the other; None where that is not known."""
    fields = _stat(process)
    return fields[19] if len(fields) > 19 else None  # noqa: PLR2004 - starttime, see proc(5)


def is_gone(of_machine: str, process: int, started: str | None = None) -> bool:
    """True when this process has ended for sure; False when it lives, or that cannot be seen from here.

    Args:
        of_machine: What `machine` gave where the process runs.
        process: Its id there.
        started: What `started_at` gave there; None compares nothing.
    """
    if of_machine != machine():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        pass
    fields = _stat(process)
    now = started_at(process)
    return bool(fields and fields[0] in _DEAD) or (started is not None and now is not None and now != started)


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat behind the program's name, the state first; none where there is no such file."""
    try:
        return (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _container() -> int:
    try:
        return (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return 0

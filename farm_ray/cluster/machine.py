"""How much of this machine is ours."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path


def cores() -> int:
    """Cores this process may use, at least 1: the machine's, less what the scheduler or the container forbids."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _container_cores(Path("/sys/fs/cgroup"))
    return max(1, min(allowed, share) if share else allowed)


def tokenizer_threads(processes: int = 1) -> int:
    """Threads for each of `processes` processes that run at once, at least 1 (for RAYON_NUM_THREADS and torch)."""
    return max(1, cores() // max(1, processes))


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

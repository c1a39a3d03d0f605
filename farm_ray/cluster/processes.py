"""Makes sure that the processes of a local Ray end with it, also where a signal hit them in an unlucky moment.

Ray ends its own processes, as a rule. One that lost its raylet before it knew it can stay for ever. All of them log
to the folder of their session, whose name ends in the id of the process that started Ray.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path

_SECONDS_TO_END = 5.0
_SECONDS_BETWEEN_LOOKS = 0.05


def end_all(starter: int, root: Path = Path("/proc")) -> None:
    """Waits some seconds for the Ray processes that this process id started, then kills those that are left.

    Does nothing where there is no /proc.
    """
    deadline = time.monotonic() + _SECONDS_TO_END
    while (left := started_by(starter, root)) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    for process in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def started_by(starter: int, root: Path = Path("/proc")) -> list[int]:
    """The ids of the processes of a Ray that `starter` started; never `starter` itself."""
    session = re.compile(rf"/session_[0-9-]+_[0-9-]+_[0-9]+_{starter}(/|$)")
    others = [folder for folder in root.glob("[0-9]*") if int(folder.name) not in {starter, os.getpid()}]
    return [int(folder.name) for folder in others if any(session.search(path) for path in _open(folder))]


def _open(folder: Path) -> list[str]:
    """The paths a process has open; those of other users' processes cannot be seen."""
    paths = []
    with contextlib.suppress(OSError):
        for link in (folder / "fd").iterdir():
            with contextlib.suppress(OSError):
                paths.append(str(link.readlink()))
    return paths

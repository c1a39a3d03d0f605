"""The file by which a run says that a folder is its own: what it says, and how it is made.

Whoever can write to the folder can write such a file: what cannot be understood of it counts as not told.
"""

from __future__ import annotations

import contextlib
import math
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from farm_ray import storage
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.foreign import decoded, parse_json
from farm_ray.process_identity import is_gone, machine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from farm_ray.plain import PlainDict

T = TypeVar("T")

_LOOKS_AT_ONE_THAT_COMES_AND_GOES = 5
_TRIES_TO_MAKE_THE_FOLDER = 20
_MOST_BYTES = 1 << 16
_LONGEST_TEXT = 255
_LARGEST_PROCESS = (1 << 31) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """What a claim says of the run that holds the folder, as far as it can be understood."""

    run: str | None = None
    started: str = "an unknown time"
    host: str = "unknown"
    pid: int | None = None
    machine: str | None = None
    process_started: str | None = None
    beat: float = 0.0

    @property
    def is_here(self) -> bool:
        """Whether its process is one of this machine, and surely the same while it lives."""
        return self.machine == machine() and None not in {self.pid, self.process_started}

    @property
    def is_gone(self) -> bool:
        """Whether its process has ended for sure."""
        return self.pid is not None and is_gone(str(self.machine), self.pid, self.process_started)

    def __str__(self) -> str:
        process = "unknown" if self.pid is None else self.pid
        return f"started at {self.started} on host {self.host}, pid {process}"


def read(file: str) -> Holder | None:
    """Who holds the folder; None for nobody. A claim that cannot be understood is somebody's, of whom nothing is known.

    Raises:
        ConfigError: When something else than a file lies there.
        DataProblemError: When that cannot be found out.
    """
    _refuse_what_no_run_made(file)

    def look() -> bytes:
        with storage.open_binary(file) as source:
            return source.read(_MOST_BYTES)

    told = _if_there(file, look)
    if told is None:
        return None
    try:
        facts = parse_json(decoded(told))
    except ValueError:
        facts = None
    return _holder(facts) if isinstance(facts, dict) else Holder()


def stamp(file: str) -> str | None:
    """What changes with every beat; None where there is no claim.

    Raises:
        DataProblemError: When that cannot be found out.
    """
    return _if_there(file, lambda: storage.change_stamp(file))


def age(file: str, there: Holder) -> float:
    """Seconds since the last beat, by two clocks."""
    beats = [there.beat]
    if storage.is_local(file):
        with contextlib.suppress(OSError):
            beats.append(storage.local_path(file).stat().st_mtime)
    return time.time() - max(beats)


def write_new(file: str, told: bytes) -> bool:
    """Makes a local file, and its folder, where none is.

    Returns:
        False where another run was faster.

    Raises:
        ConfigError: When it cannot be written.
    """
    path = storage.local_path(file)
    for left in reversed(range(_TRIES_TO_MAKE_THE_FOLDER)):
        made = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                made = True
                out.write(told)
        except FileExistsError as error:
            if error.filename == str(path):
                return False
            raise _unwritable(path, error) from None
        except OSError as error:
            if made:
                path.unlink(missing_ok=True)
            # The run before may have just removed the folder that it had made.
            if not (left and isinstance(error, FileNotFoundError)):
                raise _unwritable(path, error) from None
        else:
            return True
    raise AssertionError


def _refuse_what_no_run_made(file: str) -> None:
    """Raises ConfigError where a link, folder, pipe or device has the claim's name: what it leads to is not written."""
    if not storage.is_local(file):
        return
    path = storage.local_path(file)
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a pipe or device"
        raise ConfigError(
            f"{path} is {kind}, where a run keeps a file of its own; remove it",
            code="claim-not-a-file",
            kind=kind,
            file=str(path),
        )


def _holder(facts: PlainDict) -> Holder:
    known: PlainDict = {
        name: facts[name]
        for name in ("run", "started", "host", "machine", "process_started")
        if isinstance(facts.get(name), str) and facts[name].isprintable() and len(facts[name]) <= _LONGEST_TEXT
    }
    pid, beat = facts.get("pid"), facts.get("beat")
    if type(pid) is int and 0 < pid <= _LARGEST_PROCESS:
        known["pid"] = pid
    if type(beat) is float and math.isfinite(beat):
        known["beat"] = beat
    return Holder(**known)


def _if_there(file: str, look: Callable[[], T]) -> T | None:
    """What a look at the claim gives; None where there is none.

    Raises:
        DataProblemError: When that cannot be found out.
    """
    for _ in range(_LOOKS_AT_ONE_THAT_COMES_AND_GOES):
        with contextlib.suppress(DataProblemError):
            return look()
        if not storage.exists(file):
            return None
    return look()


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"cannot write to {path.parent}: {error.strerror}", code="cannot-write", file=str(path))

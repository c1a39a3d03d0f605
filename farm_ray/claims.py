"""A folder belongs to one run at a time: the run says so in a small file there, and keeps it fresh while it lives.

A second run is refused while the first one lives, and takes the folder over when that has ended without a word: its
process is gone from this machine, or, on another machine, nothing has refreshed the file for a minute. A run that lost
its folder in this way though it lives (its machine was asleep) finds out at its next write, and stops.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

from farm_ray import claim_file, storage
from farm_ray.errors import ConfigError, FarmRayError
from farm_ray.process_identity import machine, started_at
from farm_ray.storage.patience import insist
from farm_ray.storage.writing import missing_folders, remove_empty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from farm_ray.claim_file import Holder

logger = logging.getLogger(__name__)

FILE = ".running.json"
"""In the folder that is claimed."""
SECONDS_BETWEEN_BEATS = 10.0
SECONDS_UNTIL_STALE = 60.0
"""Without a beat for so long the run is dead; several beats, as disks and networks pause."""
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_SETTLE = 0.3
_SECONDS_TO_SETTLE_FAR_AWAY = 2.0
"""Of two runs that claim a folder in the same moment the last one keeps it; both look again after so long."""
_SECONDS_FORGOTTEN = 3600
"""Longer than the clocks of two machines differ: older claims are not watched first."""


class Claim:
    """A folder that this run holds; made by `claimed`."""

    def __init__(self, folder: str, file: str, hint: str) -> None:
        self.folder, self.hint = folder, hint
        self.run = uuid.uuid4().hex
        self._file = file
        self._facts = {
            "run": self.run,
            "started": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "machine": machine(),
            "process_started": started_at(os.getpid()),
        }
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="farm_ray-claim", daemon=True)

    def check(self) -> None:
        """Raises ConfigError when another run has taken the folder over; call it before writing there."""
        check(self._file, self.run, folder=self.folder)

    def take(self) -> None:
        """Makes the folder this run's.

        Raises:
            ConfigError: When a living run holds it, or it cannot be written to.
        """
        while True:
            there = claim_file.read(self._file)
            if there is not None:
                self._outlive(there)
            if there is None and storage.is_local(self._file):
                if claim_file.write_new(self._file, self._told()):
                    break
                continue
            self._write()
            time.sleep(_SECONDS_TO_SETTLE if storage.is_local(self._file) else _SECONDS_TO_SETTLE_FAR_AWAY)
            if is_held(self._file, self.run):
                break
        self._thread.start()

    def release(self) -> None:
        """Gives the folder free."""
        self._released.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(FarmRayError):
            if is_held(self._file, self.run):
                storage.remove(self._file)

    def _outlive(self, there: Holder) -> None:
        """Returns when the run that holds the folder is dead.

        Raises:
            ConfigError: When it lives.
        """
        if there.is_gone:
            return
        if there.is_here:
            raise self._refusal(there)
        if claim_file.age(self._file, there) > _SECONDS_FORGOTTEN:
            return
        logger.info(
            "%s was used by a run on host %s; looking for up to %.0f s whether that lives",
            self.folder,
            there.host,
            SECONDS_UNTIL_STALE,
        )
        seen, until = claim_file.stamp(self._file), time.monotonic() + SECONDS_UNTIL_STALE
        while time.monotonic() < until:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            now = claim_file.stamp(self._file)
            if now is None:
                return
            if now != seen:
                raise self._refusal(claim_file.read(self._file) or there)

    def _refusal(self, there: Holder) -> ConfigError:
        return ConfigError(
            f"{self.folder} is used by a run that {there}; wait for it, or {self.hint}",
            code="folder-in-use",
            file=self.folder,
            holder=str(there),
        )

    def _beat_on(self) -> None:
        while not self._released.wait(SECONDS_BETWEEN_BEATS):
            # What fails now may go well at the next beat, and a run that lost its folder finds out when it writes.
            with contextlib.suppress(FarmRayError, OSError):
                there = claim_file.read(self._file)
                if _is_anothers(there, self.run):
                    return
                if there is not None and there.run == self.run and storage.is_local(self._file):
                    # Changes the time by the file system's clock and needs no room.
                    os.utime(storage.local_path(self._file))
                elif not self._released.is_set():
                    self._write()

    def _write(self) -> None:
        with storage.open_output(self._file) as out:
            out.write(self._told())

    def _told(self) -> bytes:
        return json.dumps(self._facts | {"beat": time.time()}, indent=1).encode()


@contextlib.contextmanager
def claimed(folder: str | Path, *, hint: str) -> Iterator[Claim]:
    """Holds a folder for a run while the block lasts; the folder is made, and removed if it is empty in the end.

    Args:
        folder: On a disk or under s3://.
        hint: What to do where a living run holds it: `give another --output-dir`.

    Raises:
        ConfigError: When a living run holds it, or it cannot be written to.
    """
    place = storage.join(folder, FILE)
    claim = Claim(storage.redacted(folder), place, hint)
    made = _missing_folders(place)
    try:
        claim.take()
        yield claim
    finally:
        claim.release()
        remove_empty(made)


def check(file: str, run: str, *, folder: str) -> None:
    """Finds out whether a run still holds a folder; any process may ask.

    Raises:
        ConfigError: When another run has taken it over.
    """
    there = insist(lambda: claim_file.read(file))
    if there is not None and _is_anothers(there, run):
        raise ConfigError(
            f"{folder} was taken over by a run that {there}, as this one gave no sign for {SECONDS_UNTIL_STALE:.0f} s; "
            "this one stops",
            code="folder-taken-over",
            file=folder,
        )


def is_held(file: str, run: str) -> bool:
    """Whether this claim is there and is this run's.

    Raises:
        DataProblemError: When that cannot be found out.
    """
    there = claim_file.read(file)
    return there is not None and there.run == run


def _missing_folders(file: str) -> list[Path]:
    """Those above a local file, the lowest first."""
    return missing_folders(storage.local_path(file)) if storage.is_local(file) else []


def _is_anothers(there: Holder | None, run: str) -> bool:
    """Whether another run is named; what is read while it is being written may name nobody."""
    return there is not None and there.run not in {None, run}

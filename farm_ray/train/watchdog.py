"""A training that stands still must not stand for ever: a thread that hears it beat, and acts when it does not."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOKS_PER_PATIENCE = 10
_MOST_BETWEEN_LOOKS_S = 5.0


class Watchdog:
    """Calls `act` once when no beat came for `patience_s` seconds, while the block runs.

    Args:
        patience_s: Longer than anything takes that a sound run does between two beats.
        act: Called in the watching thread.
    """

    def __init__(self, patience_s: float, act: Callable[[], None]) -> None:
        self._patience_s, self._act = patience_s, act
        self._last_beat = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="farm_ray-watchdog", daemon=True)

    def beat(self) -> None:
        """Says that the run is alive."""
        self._last_beat = time.monotonic()

    def __enter__(self) -> Self:
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()

    def _watch(self) -> None:
        between = min(self._patience_s / _LOOKS_PER_PATIENCE, _MOST_BETWEEN_LOOKS_S)
        while not self._done.wait(between):
            if time.monotonic() - self._last_beat > self._patience_s:
                self._act()
                return

"""Progress on stderr: a bar on a terminal, a line every few seconds otherwise."""

from __future__ import annotations

import threading
import time
from typing import TextIO

from farm_ray.credentials import redact
from jobs.streams import write

_BAR_WIDTH = 24
_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_BARS = 0.1
_SECONDS_UNTIL_ESTIMATE = 2.0


class ProgressPrinter:
    """Call it as `progress(stage, done, total, note)`; the units of `done` and `total` are the stage's own.

    Credentials in addresses are printed as `***`. Thread-safe and cheap: most calls print nothing.
    """

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name
        self._stream = stream
        self._terminal = stream.isatty()
        self._lock = threading.Lock()
        self._stage = ""
        self._started = 0.0
        self._first_done = 0
        self._last_print = 0.0
        self._finished = False
        self._bar_shown = False

    def __call__(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Tells that `done` of `total` (None: not known yet) units of `stage` are finished."""
        with self._lock:
            now = time.monotonic()
            new_stage = stage != self._stage
            if new_stage:
                self._begin(stage, done, now)
            finished = total is not None and done >= total
            pause = _SECONDS_BETWEEN_BARS if self._terminal else _SECONDS_BETWEEN_LINES
            ends_now = finished and not self._finished
            if not (new_stage or ends_now or now - self._last_print >= pause):
                return
            self._finished = finished
            self._last_print = now
            self._show(self._text(done, total, note, now), done, total)

    def line(self, text: str) -> None:
        """Prints a line of its own, whatever the bar does."""
        with self._lock:
            self._clear()
            write(self._stream, f"{self._name}: {redact(text)}\n")

    def close(self) -> None:
        """Ends the bar; safe to call twice."""
        with self._lock:
            self._end_bar()
            self._stage = ""

    def _begin(self, stage: str, done: int, now: float) -> None:
        self._end_bar()
        self._stage, self._started, self._first_done, self._finished = stage, now, done, False

    def _text(self, done: int, total: int | None, note: str, now: float) -> str:
        parts = [f"{self._stage} {done:,}" if total is None else f"{self._stage} {done:,}/{total:,}"]
        seconds, moved = now - self._started, done - self._first_done
        if total is not None and moved > 0 and done < total and seconds >= _SECONDS_UNTIL_ESTIMATE:
            parts.append(f"{_clock((total - done) * seconds / moved)} left")
        elif seconds >= 1:
            parts.append(f"{_clock(seconds)}")
        if note:
            parts.append(note)
        return redact(", ".join(parts))

    def _show(self, text: str, done: int, total: int | None) -> None:
        if not self._terminal:
            write(self._stream, f"{self._name}: {text}\n")
        else:
            filled = _BAR_WIDTH * min(done, total) // total if total else 0
            write(self._stream, f"\r\x1b[K[{'#' * filled}{'-' * (_BAR_WIDTH - filled)}] {text}")
            self._bar_shown = True

    def _clear(self) -> None:
        if self._bar_shown:
            write(self._stream, "\r\x1b[K")
            self._bar_shown = False

    def _end_bar(self) -> None:
        if self._bar_shown:
            write(self._stream, "\n")
            self._bar_shown = False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

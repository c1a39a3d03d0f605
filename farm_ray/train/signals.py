"""Stopping a run on purpose: SIGTERM and Ctrl-C ask for a checkpoint at the next step."""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class StopRequest:
    """Whether a run shall stop; asked for by a signal, or by who sets `event`."""

    event: threading.Event = field(default_factory=threading.Event)
    by_interrupt: bool = False
    """By Ctrl-C: once the checkpoint is there, who waits for the run shall see a KeyboardInterrupt."""


@contextlib.contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """A request that the first SIGTERM or Ctrl-C makes while the block runs; a second one ends the process at once.

    Signals reach the main thread only; elsewhere no request is ever made.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def on_signal(number: int, _frame: object) -> None:
        request.by_interrupt = number == signal.SIGINT
        request.event.set()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""FARM's way to learn of a SIGTERM in a loop of one's own."""

from __future__ import annotations

import signal


class GracefulKiller:
    """Says whether the process was asked to end: `while not killer.kill_now: ...`. For the main thread.

    `Trainer` needs none: it listens itself and writes a checkpoint.
    """

    kill_now = False

    def __init__(self) -> None:
        signal.signal(signal.SIGTERM, self.exit_gracefully)

    def exit_gracefully(self, signum: int, frame: object) -> None:  # noqa: ARG002 - what a handler is called with
        """Takes notice."""
        self.kill_now = True

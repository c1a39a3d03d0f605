"""Notices that a machine is about to be taken away, as clouds give before they do it."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS_BETWEEN_NOTICES = 5.0
"""Asking costs the ranks some milliseconds; clouds give half a minute or more."""


class Notice(Enum):
    """What is known of machines that are about to be taken away."""

    NONE = "none"
    SAVE = "save"
    """A machine with a worker: Ray Train will start the workers again elsewhere, from the last checkpoint."""
    STOP = "stop"
    """The machine that the run is driven from."""


class Notices:
    """When to ask for notices, and which of them are new.

    Args:
        ask: Asked by all ranks at once; None where no machine is taken away.
    """

    def __init__(self, ask: Callable[[], Notice] | None) -> None:
        self._ask = ask
        self._asked_at = time.monotonic()
        self._saved = False

    def due(self) -> bool:
        """Whether it is time to ask again; rank 0 decides for all."""
        return self._ask is not None and time.monotonic() - self._asked_at >= _SECONDS_BETWEEN_NOTICES

    def hear(self) -> Notice:
        """What there is to be heeded now; SAVE is told once, as one checkpoint is enough."""
        self._asked_at = time.monotonic()
        heard = Notice.NONE if self._ask is None else self._ask()
        if heard is Notice.SAVE and self._saved:
            return Notice.NONE
        self._saved = self._saved or heard is Notice.SAVE
        return heard

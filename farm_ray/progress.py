"""What is called while work goes on."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A function that is told how far a stage is, such as `print`."""

    def __call__(self, stage: str, done: int, total: int | None, note: str, /) -> object:
        """Some of a stage is done.

        Args:
            stage: Its name, such as `train`.
            done: How much of it: steps, rows, files.
            total: Of how much; None where nobody knows.
            note: More in words; may be empty.
        """

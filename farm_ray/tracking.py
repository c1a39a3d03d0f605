"""Where a run reports: one seam, `RunLogger`, with nothing global. Hand a logger to the run that uses it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONGEST_VALUE = 120


@runtime_checkable
class RunLogger(Protocol):
    """What a run calls; names as in FARM. A logger never stops a run: one that talks to a server only warns."""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Settings of the run, by name; may be called more than once."""

    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """Values at an optimizer step, by name; those that are no numbers may be left out."""

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """A folder that the run has written, and a name to keep it under."""

    def end_run(self) -> None:
        """The run is over; nothing is logged after it."""


class StdoutLogger:
    """One readable line per call, on stderr: stdout belongs to results.

    Args:
        stream: Where to write instead.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def log_params(self, params: Mapping[str, Any]) -> None:
        """`parameters: epochs=2 learning_rate=2e-05`."""
        self._say("parameters:", [f"{name}={_short(value)}" for name, value in params.items()])

    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """`step 200: dev_loss=0.4213 dev_acc=0.8125`; only numbers are shown."""
        self._say(f"step {step}:", [f"{name}={_short(value)}" for name, value in metrics.items() if _is_number(value)])

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """`artifacts: saved_models/bert`."""
        self._say("artifacts:", [str(dir_path)] + ([f"as {artifact_path}"] if artifact_path else []))

    def end_run(self) -> None:
        """Nothing is left open."""

    def _say(self, head: str, parts: list[str]) -> None:
        if parts:
            print(head, *parts, file=self._stream or sys.stderr, flush=True)


class NullLogger:
    """Says nothing."""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Left out."""

    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """Left out."""

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """Left out."""

    def end_run(self) -> None:
        """Left out."""


LOGGERS: dict[str, type[StdoutLogger | NullLogger]] = {"none": NullLogger, "stdout": StdoutLogger}
"""What an experiment can name as its tracker."""


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, str)


def _short(value: Any) -> str:
    if _is_number(value) and not isinstance(value, int):
        return f"{float(value):.4g}"
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"

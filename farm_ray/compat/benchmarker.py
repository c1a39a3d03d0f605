"""FARM's stopwatch of an inference."""

from __future__ import annotations

import time

_PREPROCESSED = "dataset_single_proc"


class Benchmarker:
    """Moments by name: `record("start")`, `record("dataset_single_proc")`, `record("formatted_preds")`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets all moments."""
        self.times: list[tuple[str, float]] = []

    def record(self, name: str) -> None:
        """Keeps this moment."""
        self.times.append((name, time.perf_counter()))

    def summary(self) -> tuple[float, float]:
        """Seconds from the start until the data were there, and from then until the last moment.

        The first moment counts as the start, and what was recorded as `dataset_single_proc` as the end of the
        preprocessing; without it all time is the model's.
        """
        if not self.times:
            return 0.0, 0.0
        moments = dict(self.times)
        begin, end = self.times[0][1], self.times[-1][1]
        ready = moments.get(_PREPROCESSED, begin)
        return ready - begin, end - ready

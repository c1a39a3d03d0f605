"""How the driver follows a run on Ray: rank 0 posts to a small actor, the driver reads from it.

`ray.train.report` would cost seconds per call; a post costs rank 0 less than a millisecond and never blocks. The actor
lives beside the driver and outlasts the workers: it also knows what those that are started again must know.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ray import ObjectRef
    from ray.actor import ActorHandle

logger = logging.getLogger(__name__)

Done = tuple[str, int, int | None, str]
"""What is told of progress: a stage, how much of it is done, of how much, and a note."""
StepMetrics = tuple[dict[str, float], int]
"""Numbers by name, and their step."""
News = tuple[Done | None, list[StepMetrics], int, str | None]
"""The newest progress, all new metrics, the attempts and the newest checkpoint."""

_SECONDS_BETWEEN_READS = 0.3
_SECONDS_BETWEEN_POSTS = 0.2


class Hear(Protocol):
    """Takes what the driver reads."""

    def __call__(self, progress: Done | None, metrics: list[StepMetrics], checkpoint: str | None, /) -> None:
        """Passes it on."""


@dataclass(frozen=True, slots=True)
class Begin:
    """What workers hear when they begin."""

    checkpoint: str | None
    """Name of the newest checkpoint that an earlier attempt has written or resumed from."""
    is_over: bool
    """Whether the run has failed for good: there is nothing to be done any more."""


class Board:
    """The actor's state: what was posted and not yet read, whether a stop is asked for, and how the run fared."""

    def __init__(self) -> None:
        self._progress: Done | None = None
        self._metrics: list[StepMetrics] = []
        self._stop = False
        self._begun = 0
        self._resumed_at = 0
        self._checkpoint: str | None = None
        self._failure: Exception | None = None

    def begin(self, is_first: bool) -> Begin:
        """A worker begins; asked by all ranks, counted for rank 0."""
        begin = Begin(self._checkpoint, self._failure is not None)
        self._begun += is_first
        return begin

    def attempts(self) -> int:
        """How often the workers were started."""
        return self._begun

    def resumed(self, step: int) -> None:
        """The workers resume after so many steps; what counts is where the first ones did."""
        if self._begun <= 1:
            self._resumed_at = step

    def resumed_at(self) -> int:
        """Steps that were done before the workers were first started."""
        return self._resumed_at

    def checkpoint_known(self, name: str) -> None:
        """The run has this checkpoint; it is newer than those it had before."""
        self._checkpoint = name

    def fail(self, error: Exception) -> None:
        """The run has failed for good; the first failure is the one to tell."""
        self._failure = self._failure or error

    def failure(self) -> Exception | None:
        """Why the run has failed for good; None while it has not."""
        return self._failure

    def post(self, progress: Done | None, metrics: list[StepMetrics]) -> bool:
        """Takes news; answers whether the run shall stop."""
        self._progress = progress or self._progress
        self._metrics += metrics
        return self._stop

    def read(self, stop: bool) -> News:
        """The newest progress, all new metrics, the attempts and the newest checkpoint.

        `stop` is kept for the next post's answer.
        """
        self._stop = self._stop or stop
        news = self._progress, self._metrics, self._begun, self._checkpoint
        self._progress, self._metrics = None, []
        return news


class BoardListener:
    """Rank 0's side: collects news and posts them now and then, without waiting for the answer."""

    def __init__(self, board: ActorHandle[Board]) -> None:
        self._board = board
        self._metrics: list[StepMetrics] = []
        self._progress: Done | None = None
        self._posted_at = 0.0
        self._answer: ObjectRef[bool] | None = None
        self._stop = False

    def progress(self, stage: str, done: int, total: int | None, note: str) -> None:
        """Some of a stage is done."""
        self._progress = (stage, done, total, note)
        if time.monotonic() - self._posted_at >= _SECONDS_BETWEEN_POSTS:
            self.post()

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Numbers of this step for the run's log."""
        self._metrics.append((dict(values), step))

    def stop_requested(self) -> bool:
        """The answer to the last post, as soon as it is there."""
        import ray

        if self._answer is not None and ray.wait([self._answer], timeout=0)[0]:
            self._stop = ray.get(self._answer)
            self._answer = None
        return self._stop

    def resumed(self, step: int) -> None:
        """The run resumes after so many steps."""
        self._board.resumed.remote(step)

    def checkpoint_known(self, name: str) -> None:
        """The run has this checkpoint."""
        self._board.checkpoint_known.remote(name)

    def post(self) -> None:
        """Sends what has come together."""
        self._answer = self._board.post.remote(*self.unsent())
        self._posted_at = time.monotonic()

    def unsent(self) -> tuple[Done | None, list[StepMetrics]]:
        """What has come together since the last post; it counts as sent."""
        news = self._progress, self._metrics
        self._progress, self._metrics = None, []
        return news


class BoardReader:
    """The driver's side: a thread that reads the board and passes the news on while the run goes."""

    def __init__(self, board: ActorHandle[Board], hear: Hear, stop: threading.Event) -> None:
        self._board, self._hear, self._stop = board, hear, stop
        self._done = threading.Event()
        self._error: Exception | None = None
        self._attempts = 1
        self._thread = threading.Thread(target=self._read_on, name="board-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join(timeout=5)
        if self._error is not None:
            raise self._error

    def _read_on(self) -> None:
        import ray

        while True:
            finished = self._done.wait(_SECONDS_BETWEEN_READS)
            try:
                progress, metrics, attempts, checkpoint = cast(
                    "News", ray.get(self._board.read.remote(self._stop.is_set()), timeout=5)
                )
            except ray.exceptions.GetTimeoutError:
                # A busy machine; who stops listening would never pass a SIGTERM on.
                if finished:
                    return
                continue
            except ray.exceptions.RayError:
                return
            self._tell_restarts(attempts)
            try:
                self._hear(progress, metrics, checkpoint)
            except Exception as error:  # noqa: BLE001 - the user's own progress or tracker; raised when the run ends
                self._error = self._error or error
            if finished:
                return

    def _tell_restarts(self, attempts: int) -> None:
        if attempts > self._attempts:
            self._attempts = attempts
            logger.warning("training workers are started again, from the last checkpoint (restart %d)", attempts - 1)

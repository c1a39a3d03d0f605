"""Reading on after errors that may pass: again from the begin, after pauses that double, and not for ever."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from farm_ray.errors import FarmRayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S = 1.0
"""Seconds before the second attempt; doubles with every attempt that brought nothing new."""
PATIENCE_S = 120.0
"""Seconds for which nothing at all has come, and the longest pause: then an error is final. The last attempt begins
before that, and may itself take a minute at a server that says nothing: each request has a time-out of its own."""


def insist(work: Callable[[], T]) -> T:
    """What `work` gives; after errors that may pass it is done again, as `patient` reads again.

    Raises:
        FarmRayError: As `patient`.
    """

    def once() -> Iterator[T]:
        yield work()

    [result] = patient(once)
    return result


def patient(
    read: Callable[[], Iterable[T]],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[T]:
    """The items of `read()`; after an error that may pass they are read again, and continue after those that came.

    Args:
        read: Gives the same items with every call. An error that may pass has the fact `transient`.
        clock: Seconds from some moment on.
        sleep: Waits for some seconds.

    Raises:
        FarmRayError: One that does not pass, at once; or the last one, with how long was tried and how often.
    """
    done, attempts, pause = 0, 0, FIRST_PAUSE_S
    began = last_came = clock()
    while True:
        attempts += 1
        try:
            for number, item in enumerate(read()):
                if number == done:
                    yield item
                    done, attempts, pause = done + 1, 1, FIRST_PAUSE_S
                    began = clock()
                last_came = clock()
        except FarmRayError as error:
            if not error.facts.get("transient"):
                raise
            now = clock()
            left = last_came + PATIENCE_S - now
            if left <= 0 or pause > PATIENCE_S:
                times = "once" if attempts == 1 else f"{attempts} times"
                raise error.reworded(f"{error}; tried {times} within {now - began:.0f} s") from None
            logger.warning("%s; trying again in %.0f s", error, min(pause, left))
        else:
            return
        sleep(min(pause, left))
        pause *= 2

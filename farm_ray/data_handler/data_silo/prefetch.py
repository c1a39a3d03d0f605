"""Work that runs ahead of who needs it: an iterator in a thread of its own, some items ahead."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from farm_ray.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.2


class Prefetched(Generic[T]):
    """The items of an iterable, made in a background thread up to `ahead` items before they are asked for.

    What the iterable raises is raised to who asks, after the items before it. `close` ends the thread; a generator
    that it was reading is closed there.

    Args:
        items: What is made ahead.
        ahead: Items that wait at most.
        patience_s: Seconds that who asks waits for an item; None waits for ever.

    Raises:
        ClusterError: While iterating, when no item came for that long.
    """

    def __init__(self, items: Iterable[T], *, ahead: int, patience_s: float | None = None) -> None:
        self._patience_s = patience_s
        self._queue: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(maxsize=ahead)
        self._closed = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, args=(iter(items),), name="farm_ray-prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._ended:
            raise StopIteration
        try:
            item, error, is_last = self._queue.get(timeout=self._patience_s)
        except queue.Empty:
            self.close()
            raise ClusterError(
                f"no training data came for {self._patience_s:g} seconds: the tasks that read it hang, or the cluster "
                "has no room for them; what is written goes on with --resume auto",
                code="no-data-came",
                value=self._patience_s,
            ) from None
        if is_last:
            self._ended = True
            if error is not None:
                raise error
            raise StopIteration
        return item  # type: ignore[return-value] # an item, as it is not the last entry

    def close(self) -> None:
        """Ends the thread at its next item; nothing more comes."""
        self._closed.set()
        self._ended = True

    def _run(self, items: Iterator[T]) -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not self._put((item, None, False)):
                    break
        except BaseException as raised:  # noqa: BLE001 - it is raised in the thread that asks
            error = raised
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        self._put((None, error, True))

    def _put(self, entry: tuple[T | None, BaseException | None, bool]) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(entry, timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Full:
                continue
            return True
        return False

"""Iterators that run ahead in a thread: in order, to a limit, with their errors, and ended when nobody wants more."""

import threading
import time

import pytest

from farm_ray.data_handler.data_silo.prefetch import Prefetched
from farm_ray.errors import ClusterError


def test_items_come_in_order():
    assert list(Prefetched(range(50), ahead=3)) == list(range(50))
    assert list(Prefetched([], ahead=1)) == []


def test_not_more_is_made_than_allowed():
    made = []
    ahead = Prefetched((made.append(number) or number for number in range(100)), ahead=2)
    assert next(ahead) == 0
    time.sleep(0.1)
    assert len(made) <= 1 + 2 + 1
    ahead.close()


def test_an_error_comes_after_the_items_before_it():
    def failing():
        yield 1
        raise ValueError("broken")

    ahead = Prefetched(failing(), ahead=5)
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="broken"):
        next(ahead)
    with pytest.raises(StopIteration):
        next(ahead)


def test_closing_ends_the_thread_and_the_generator():
    closed = threading.Event()

    def endless():
        try:
            yield from iter(int, 1)
        finally:
            closed.set()

    ahead = Prefetched(endless(), ahead=1)
    next(ahead)
    ahead.close()
    assert closed.wait(5)
    assert list(ahead) == []


def test_who_waits_too_long_is_told():
    never = threading.Event()
    ahead = Prefetched(iter(never.wait, None), ahead=1, patience_s=0.05)
    with pytest.raises(ClusterError, match=r"no training data came for 0\.05 seconds.*--resume auto"):
        next(ahead)
    never.set()

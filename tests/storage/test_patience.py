"""Reading on after errors, with a clock that is only moved by the test."""

import pytest

from farm_ray.errors import DataProblemError
from farm_ray.storage.patience import PATIENCE_S, patient


class Time:
    """A clock that stands still but for pauses and what an attempt takes."""

    def __init__(self):
        self.now = 0.0
        self.pauses = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def failing(time, items, failures, *, transient=True, takes=0.0):
    """`read` that gives so many items before each failure, and at last all of them."""
    left = iter(failures)

    def read():
        before = next(left, None)
        yield from items[:before]
        if before is not None:
            time.now += takes
            raise DataProblemError("cannot read s3://data/a: no answer", transient=transient, file="a")

    return read


def read_all(time, read):
    return list(patient(read, clock=time.clock, sleep=time.sleep))


@pytest.mark.parametrize("failures", [[], [0], [1], [3], [0, 0, 2, 1, 3, 2]])
def test_every_item_comes_once(failures):
    time = Time()
    assert read_all(time, failing(time, "abc", failures)) == ["a", "b", "c"]
    assert len(time.pauses) == len(failures)


def test_pauses_double_until_something_new_comes():
    time = Time()
    read_all(time, failing(time, "abc", [0, 0, 0, 1, 1, 0, 2]))
    assert time.pauses == [1, 2, 4, 1, 2, 4, 1]


def test_two_minutes_of_failures_are_the_end():
    time = Time()
    with pytest.raises(DataProblemError, match=r"s3://data/a: no answer; tried 8 times within 120 s$") as caught:
        read_all(time, failing(time, "abc", [0] * 50))
    assert time.pauses == [1, 2, 4, 8, 16, 32, 57]
    assert caught.value.facts == {"transient": True, "file": "a"}


def test_attempts_at_a_silent_server_count_too():
    time = Time()
    with pytest.raises(DataProblemError, match="tried 2 times within 121 s"):
        read_all(time, failing(time, "abc", [0] * 50, takes=60))


def test_a_long_way_back_to_the_place_of_the_failure_is_no_silence():
    time = Time()

    def slow(read):
        for item in read():
            time.now += PATIENCE_S - 1
            yield item

    read = failing(time, "abc", [2, 2, 2])
    assert read_all(time, lambda: slow(read)) == ["a", "b", "c"]


def test_a_file_that_always_fails_at_one_place_comes_to_an_end():
    time = Time()
    with pytest.raises(DataProblemError, match="tried 8 times within 127 s"):
        read_all(time, failing(time, "abc", [1] * 50))


def test_the_time_that_items_take_to_be_used_is_no_silence():
    time = Time()
    items = patient(failing(time, "abc", [1, 1]), clock=time.clock, sleep=time.sleep)
    found = []
    for item in items:
        found.append(item)
        time.now += 10 * PATIENCE_S
    assert found == ["a", "b", "c"]


def test_what_does_not_pass_is_told_at_once():
    time = Time()
    with pytest.raises(DataProblemError, match=r"no answer$"):
        read_all(time, failing(time, "abc", [1], transient=False))
    assert time.pauses == []

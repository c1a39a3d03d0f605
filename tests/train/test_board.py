"""News from rank 0 to the driver, with a board that lies in this process instead of in an actor."""

import sys
import threading
import time
import types

import pytest

from farm_ray.train import board as boards
from farm_ray.train.board import Begin, Board, BoardListener, BoardReader

NEWS = ("train", 1, 9, "loss 1")


class Remote:
    """An actor's handle: answers are there at once, unless it is told to be slow or dead."""

    def __init__(self, board, failing=()):
        self.calls, self.failing = 0, list(failing)
        self.post, self.read = self.method(board.post), self.method(board.read)

    def method(self, function):
        def remote(*arguments):
            self.calls += 1
            if self.failing:
                return self.failing.pop(0)
            return function(*arguments)

        return types.SimpleNamespace(remote=remote)


class RayError(Exception):
    pass


class GetTimeoutError(RayError):
    pass


@pytest.fixture(autouse=True)
def _ray(monkeypatch):
    """As much of ray as the board needs: references are values, or errors to raise."""

    def get(value, timeout=None):
        if isinstance(value, Exception):
            raise value
        return value

    ray = types.ModuleType("ray")
    ray.get = get
    ray.wait = lambda references, timeout: (references, [])
    ray.exceptions = types.SimpleNamespace(RayError=RayError, GetTimeoutError=GetTimeoutError)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(boards, "_SECONDS_BETWEEN_READS", 0.01)


def test_what_is_read_is_gone_and_a_stop_stays():
    board = Board()
    assert board.post(NEWS, [({"loss": 1.0}, 1)]) is False
    assert board.post(None, [({"loss": 2.0}, 2)]) is False
    assert board.read(stop=False) == (NEWS, [({"loss": 1.0}, 1), ({"loss": 2.0}, 2)], 0, None)
    assert board.read(stop=True) == (None, [], 0, None)
    assert board.read(stop=False) == (None, [], 0, None)
    assert board.post(None, []) is True


def test_progress_is_posted_now_and_then_with_all_metrics(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(boards, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    board = Board()
    remote = Remote(board)
    listener = BoardListener(remote)
    for step in range(1, 6):
        listener.metrics({"loss": float(step)}, step)
        listener.progress("train", step, 9, "")
        now[0] += 0.125
    assert remote.calls == 3
    progress, metrics, _, _ = board.read(stop=False)
    assert progress == ("train", 5, 9, "")
    assert [step for _, step in metrics] == [1, 2, 3, 4, 5]
    listener.metrics({"loss": 6.0}, 6)
    assert listener.unsent() == (None, [({"loss": 6.0}, 6)])
    assert listener.unsent() == (None, [])


def test_a_stop_is_heard_with_the_answer_to_a_post():
    board = Board()
    listener = BoardListener(Remote(board))
    listener.post()
    assert not listener.stop_requested()
    board.read(stop=True)
    assert not listener.stop_requested()
    listener.post()
    assert listener.stop_requested()
    assert listener.stop_requested()


def test_the_driver_hears_everything_posted_before_the_end():
    board, heard = Board(), []
    with BoardReader(Remote(board), lambda *news: heard.append(news), threading.Event()):
        for step in range(20):
            board.post(("train", step, 20, ""), [({"loss": 0.5}, step)])
            time.sleep(0.002)
        board.checkpoint_known("epoch_0_step_19")
    assert [step for _, metrics, _ in heard for _, step in metrics] == list(range(20))
    assert [progress for progress, *_ in heard if progress is not None][-1] == ("train", 19, 20, "")
    assert heard[-1][-1] == "epoch_0_step_19"


def test_the_drivers_wish_to_stop_reaches_the_board():
    board, stop = Board(), threading.Event()
    with BoardReader(Remote(board), lambda *_: None, stop):
        stop.set()
    assert board.post(None, []) is True


def test_an_error_of_the_users_own_progress_is_raised_at_the_end_and_reading_goes_on():
    board, heard = Board(), []

    def hear(progress, _metrics, _checkpoint):
        heard.append(progress)
        raise ValueError(len(heard))

    with pytest.raises(ValueError, match="1"), BoardReader(Remote(board), hear, threading.Event()):
        time.sleep(0.1)
    assert len(heard) > 1


def test_a_slow_answer_is_waited_for_again_and_a_dead_board_ends_the_reading():
    board, heard = Board(), []
    board.post(NEWS, [])
    remote = Remote(board, failing=[GetTimeoutError(), GetTimeoutError()])
    with BoardReader(remote, lambda *news: heard.append(news), threading.Event()):
        time.sleep(0.1)
    assert heard[0] == (NEWS, [], None)
    dead = Remote(board, failing=[RayError()] * 9)
    with BoardReader(dead, lambda *news: heard.append(news), threading.Event()):
        time.sleep(0.1)
    assert dead.calls == 1


def test_the_board_outlasts_the_workers():
    """What workers hear when they begin: whether there is a checkpoint, whether all is over; and how often they did."""
    board = Board()
    assert board.begin(is_first=True) == Begin(checkpoint=None, is_over=False)
    board.checkpoint_known("epoch_0_step_4")
    assert board.begin(is_first=False) == Begin(checkpoint="epoch_0_step_4", is_over=False)
    board.begin(is_first=True)
    assert board.attempts() == 2
    first, second = ValueError("first"), ValueError("second")
    board.fail(first)
    board.fail(second)
    assert board.failure() is first
    assert board.begin(is_first=True).is_over

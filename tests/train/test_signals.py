"""Signals as a wish: the first is noted, the second ends the process, and afterwards all is as before."""

import os
import signal
import threading

import pytest

from farm_ray.train.signals import stop_on_signals


@pytest.fixture(autouse=True)
def before():
    """A handler of the program's own, which must be there again afterwards."""

    def own(*_):
        pytest.fail("the program's own handler was called")

    found = signal.signal(signal.SIGTERM, own)
    yield own
    signal.signal(signal.SIGTERM, found)


def test_the_first_sigterm_is_noted_and_the_second_ends_the_process(before):
    with stop_on_signals() as stop:
        assert not stop.event.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.event.is_set()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_first_ctrl_c_is_noted_and_the_second_is_raised():
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.event.is_set()
        assert stop.by_interrupt
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_handler_is_put_back_after_an_error_too(before):
    with pytest.raises(ValueError), stop_on_signals():
        raise ValueError
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_later_run_listens_anew():
    for _ in range(2):
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.event.is_set()


def test_outside_the_main_thread_no_handler_is_touched(before):
    seen = []

    def run():
        with stop_on_signals() as stop:
            seen.extend([stop.event.is_set(), signal.getsignal(signal.SIGTERM)])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [False, before]

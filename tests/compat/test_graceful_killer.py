"""FARM's way to learn of a SIGTERM."""

import os
import signal

from farm_ray import utils


def test_a_process_learns_that_it_shall_end():
    before = signal.getsignal(signal.SIGTERM)
    try:
        killer = utils.GracefulKiller()
        assert not killer.kill_now
        os.kill(os.getpid(), signal.SIGTERM)
        assert killer.kill_now
    finally:
        signal.signal(signal.SIGTERM, before)

"""A run that beats is left alone; one that stops beating is acted on, once."""

import threading
import time

from farm_ray.train.watchdog import Watchdog


def test_silence_is_acted_on_once():
    acted = threading.Event()
    with Watchdog(0.05, acted.set):
        assert acted.wait(5)


def test_beats_keep_it_quiet_and_the_end_of_the_block_ends_it():
    acted = []
    with Watchdog(0.4, lambda: acted.append(1)) as watchdog:
        for _ in range(12):
            time.sleep(0.05)
            watchdog.beat()
    time.sleep(0.5)
    assert not acted

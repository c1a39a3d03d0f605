"""Progress: lines, and a bar on a terminal."""

import io

import pytest

from jobs import progress


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock.monotonic)
    return clock


def test_progress_without_a_terminal_is_a_line_every_few_seconds(clock):
    stream = io.StringIO()
    show = progress.ProgressPrinter("jobs.test", stream)
    for step in range(101):
        show("train", step, 100, "loss 0.5")
        clock.now += 0.2
    lines = stream.getvalue().splitlines()
    assert lines[0] == "jobs.test: train 0/100, loss 0.5"
    assert lines[1] == "jobs.test: train 25/100, 0:15 left, loss 0.5"
    assert lines[-1].startswith("jobs.test: train 100/100, 0:20")
    assert len(lines) == 5


def test_a_new_stage_is_told_at_once_and_an_unknown_total_has_no_share(clock):
    stream = io.StringIO()
    show = progress.ProgressPrinter("jobs.test", stream)
    show("read", 10)
    show("read", 20)
    show("train", 0, 1234)
    assert stream.getvalue().splitlines() == ["jobs.test: read 10", "jobs.test: train 0/1,234"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal_is_a_bar_that_lines_do_not_run_into(clock):
    stream = Terminal()
    show = progress.ProgressPrinter("jobs.test", stream)
    show("train", 50, 100)
    show.line("a warning")
    clock.now += 1
    show("train", 100, 100)
    show.close()
    bar = "\r\x1b[K[############------------] train 50/100"
    assert stream.getvalue().startswith(bar + "\r\x1b[Kjobs.test: a warning\n")
    assert stream.getvalue().endswith("[########################] train 100/100, 0:01\n")

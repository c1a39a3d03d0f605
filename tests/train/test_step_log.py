"""The table of steps: exact, growing at its end, and clean after a run was broken off."""

import math
import warnings

import pytest

from farm_ray.errors import ConfigError
from farm_ray.train.step_log import FILE, StepLog
from tests.raised import raised

STEPS = [(0.1 + 0.2, 5e-5), (1e-30, 1 / 3), (math.nan, 0.0), (math.inf, 2.5e-5)]


def log_of(steps):
    log = StepLog()
    for loss, rate in steps:
        log.add(loss, rate)
    return log


def pairs(log):
    return [(str(loss), rate) for loss, rate in zip(log.losses, log.learning_rates, strict=True)]


def test_numbers_come_back_as_they_were(tmp_path):
    log_of(STEPS).store(tmp_path / "new", steps=4)
    with warnings.catch_warnings(action="error"):
        again = StepLog.load(str(tmp_path / "new"), steps=4)
    assert pairs(again) == [(str(loss), rate) for loss, rate in STEPS]


def test_only_new_steps_are_written(tmp_path):
    log = log_of(STEPS[:2])
    log.store(tmp_path, steps=2)
    file = (tmp_path / FILE).stat().st_ino
    first = (tmp_path / FILE).read_text()
    log.add(*STEPS[3])
    log.store(tmp_path, steps=3)
    log.store(tmp_path, steps=3)
    assert (tmp_path / FILE).read_text() == first + "3\tinf\t2.5e-05\n"
    assert (tmp_path / FILE).stat().st_ino == file


def test_steps_added_meanwhile_are_left_for_the_next_time(tmp_path):
    log = log_of(STEPS)
    log.store(tmp_path, steps=1)
    assert (tmp_path / FILE).read_text().count("\n") == 2
    log.store(tmp_path, steps=3)
    assert pairs(StepLog.load(str(tmp_path), steps=3)) == [(str(loss), rate) for loss, rate in STEPS[:3]]


def test_going_on_from_a_checkpoint_drops_the_steps_that_came_after_it(tmp_path):
    log_of(STEPS).store(tmp_path, steps=4)
    resumed = StepLog.load(str(tmp_path), steps=1)
    resumed.add(0.5, 0.25)
    resumed.store(tmp_path, steps=2)
    assert (tmp_path / FILE).read_text() == "step\tloss\tlearning_rate\n1\t0.30000000000000004\t5e-05\n2\t0.5\t0.25\n"


def test_a_line_that_was_cut_off_is_not_taken_for_a_number(tmp_path):
    log_of([(1.0, 0.125), (2.0, 0.125)]).store(tmp_path, steps=2)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-3])
    with pytest.warns(UserWarning, match=r"steps\.tsv is missing or incomplete.*first 2 steps"):
        assert pairs(StepLog.load(str(tmp_path), steps=2)) == [
            ("1.0", 0.125),
            ("nan", pytest.approx(math.nan, nan_ok=True)),
        ]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe nonsense\n1\t2\n"])
def test_without_a_table_the_run_goes_on_and_says_so(tmp_path, content):
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    with pytest.warns(UserWarning, match="goes on all the same"):
        log = StepLog.load(str(tmp_path), steps=3)
    assert [str(loss) for loss in log.losses] == ["nan"] * 3


def test_a_place_that_cannot_be_written(tmp_path):
    log = log_of(STEPS)
    log.store(tmp_path, steps=4)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with raised(ConfigError, "cannot-write", file="steps.tsv"):
        log.store(tmp_path, steps=4)

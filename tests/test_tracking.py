"""Run loggers: one readable line per call, on stderr."""

import io

import numpy as np
import pytest

from farm_ray.tracking import NullLogger, RunLogger, StdoutLogger


@pytest.mark.parametrize("kind", [StdoutLogger, NullLogger])
def test_loggers_fit_the_seam(kind):
    assert isinstance(kind(), RunLogger)


def test_metrics_are_one_line_of_numbers():
    stream = io.StringIO()
    StdoutLogger(stream).log_metrics({"dev_loss": 0.42134, "acc": np.float32(0.5), "rows": 10, "report": "a\nb"}, 200)
    assert stream.getvalue() == "step 200: dev_loss=0.4213 acc=0.5 rows=10\n"


def test_parameters_are_one_line_whatever_they_hold():
    stream = io.StringIO()
    StdoutLogger(stream).log_params({"learning_rate": 2e-5, "labels": ["a\n", "b"], "text": "x\ny", "long": "z" * 500})
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("parameters: learning_rate=2e-05 ")
    assert "text=x y" in line
    assert len(line) < 250


def test_lines_go_to_stderr_and_nothing_to_stdout(capsys):
    logger = StdoutLogger()
    logger.log_artifacts("saved/bert", "model")
    logger.log_metrics({"report": "only text"}, 1)
    logger.end_run()
    assert capsys.readouterr() == ("", "artifacts: saved/bert as model\n")


def test_the_null_logger_is_silent(capsys):
    logger = NullLogger()
    logger.log_params({"a": 1})
    logger.log_metrics({"a": 1}, 1)
    logger.log_artifacts("x")
    logger.end_run()
    assert capsys.readouterr() == ("", "")

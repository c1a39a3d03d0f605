"""Exit codes, the JSON line, progress: what all jobs share. No Ray, no torch."""

import json
import logging
import os
import signal

import numpy as np
import pytest

from farm_ray.errors import DataProblemError, ModelFolderError
from jobs import command_line


def run(work, argv=(), **options):
    parser = command_line.make_parser("jobs.test", None)
    parser.add_argument("--n", type=command_line.whole_number, default=0)
    return command_line.run(parser, work, list(argv), **options)


def test_the_result_is_the_last_line_of_stdout(capsys):
    def work(arguments, _progress):
        print("something before")
        return {"n": arguments.n, "loss": np.float32(0.5), "bad": float("nan"), "rows": np.arange(2)}

    assert run(work, ["--n", "3"]) == command_line.EXIT_OK
    last = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(last) == {"status": "ok", "n": 3, "loss": 0.5, "bad": None, "rows": [0, 1]}


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataProblemError("train.tsv:7: bad\nrow"), 2, "jobs.test: train.tsv:7: bad row\n"),
        (OSError(28, "No space left on device"), 2, "disk is full"),
        (PermissionError(13, "Permission denied", "/x"), 2, "no permission to use /x"),
        (KeyboardInterrupt(), 130, "jobs.test: stopped by Ctrl-C\n"),
    ],
)
def test_an_error_a_user_can_mend_is_one_line(capsys, error, code, line):
    def work(_arguments, _progress):
        raise error

    assert run(work) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert line in err
    assert err.count("\n") == 1


def test_a_value_of_a_damaged_file_is_shortened(capsys):
    def work(_arguments, _progress):
        raise ModelFolderError(f'no processor class "{"x" * 100_000}"; copy the folder again')

    assert run(work) == command_line.EXIT_USAGE
    err = capsys.readouterr().err
    assert len(err) < 400
    assert err.endswith("... (100,003 characters) copy the folder again\n")


def test_any_other_error_keeps_its_traceback(capsys):
    def work(_arguments, _progress):
        return {"x": 1 / 0}

    assert run(work) == command_line.EXIT_FAILED
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" in err
    assert err.splitlines()[-1] == "jobs.test: failed: ZeroDivisionError: division by zero"


def test_our_error_inside_another_is_shown_alone(capsys):
    class WrapperError(RuntimeError):
        cause = DataProblemError("train.tsv:7: bad")

    def work(_arguments, _progress):
        raise WrapperError

    assert run(work) == command_line.EXIT_USAGE
    assert capsys.readouterr().err == "jobs.test: train.tsv:7: bad\n"


@pytest.mark.parametrize("flags", [["--n", "-1"], ["--n", "two"], ["--m", "1"]])
def test_wrong_flags_are_one_line(capsys, flags):
    with pytest.raises(SystemExit) as stop:
        run(lambda _arguments, _progress: {}, flags)
    err = capsys.readouterr().err
    assert stop.value.code == command_line.EXIT_USAGE
    assert err.startswith("jobs.test: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("resumable", "code"), [(True, 75), (False, 1)])
def test_sigterm_ends_the_job_with_the_way_to_go_on(capsys, resumable, code):
    before = signal.getsignal(signal.SIGTERM)

    def work(_arguments, _progress):
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("the signal should have ended the work")

    assert run(work, resumable=resumable) == code
    out, err = capsys.readouterr()
    assert "stopped by SIGTERM" in err
    assert (json.loads(out)["status"] == "preempted") if resumable else (out == "")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_preempted_result_is_exit_code_75(capsys):
    assert run(lambda _arguments, _progress: {"status": "preempted"}) == command_line.EXIT_PREEMPTED
    assert json.loads(capsys.readouterr().out) == {"status": "preempted"}


@pytest.mark.parametrize("given", [[], ["--resume", "never"], ["--resume=never"]])
def test_the_resume_command_is_the_same_with_resume_auto(given):
    command = command_line.resume_command("jobs.train", ["p", *given, "--set", "a=[1, 2]"])
    assert command == "python -m jobs.train p --set 'a=[1, 2]' --resume auto"


def test_our_log_is_shown_and_others_only_from_warnings(capsys):
    def work(_arguments, _progress):
        logging.getLogger("farm_ray.x").info("ours")
        logging.getLogger("other").info("theirs")
        logging.getLogger("other").warning("take care")
        return {}

    run(work)
    err = capsys.readouterr().err
    assert err.splitlines() == ["jobs.test: ours", "jobs.test: warning: take care"]


def test_arguments_that_are_no_utf8_are_one_line(capfd):
    parser = command_line.make_parser("jobs.test", None)
    parser.add_argument("--text", action="append")
    parser.add_argument("input", nargs="?")
    for argv, name in ((["--text", "a", "--text", "caf\udce9"], "--text"), (["caf\udce9"], "INPUT")):
        with pytest.raises(SystemExit) as stop:
            command_line.run(parser, lambda *_: {}, argv)
        assert stop.value.code == 2
        (told,) = capfd.readouterr().err.splitlines()
        assert told.startswith(f"jobs.test: {name} is not UTF-8: caf\\udce9; ")


def test_a_name_that_is_too_long_is_one_line(capfd, tmp_path):
    def work(*_):
        (tmp_path / ("x" * 300)).mkdir()

    assert command_line.run(command_line.make_parser("jobs.test", None), work, []) == 2
    (told,) = capfd.readouterr().err.splitlines()
    assert told.endswith("x: File name too long; give another path")


SECRET = "s3://key:hidden@bucket/a?token=hidden"


@pytest.mark.parametrize("error", [DataProblemError(SECRET), ValueError(SECRET), PermissionError(13, "Denied", SECRET)])
def test_no_error_tells_credentials(capsys, error):
    def work(_arguments, progress):
        progress("read", 0, None, SECRET)
        progress.line(SECRET)
        logging.getLogger("farm_ray.test").warning("trying %s again", SECRET)
        raise error

    assert run(work) in {1, 2}
    out, err = capsys.readouterr()
    assert "hidden" not in out + err
    assert err.count("s3://***@bucket/a?***") >= 4


def test_neither_a_wrong_flag_nor_the_result_tells_credentials(capsys):
    with pytest.raises(SystemExit):
        run(None, ["--m", SECRET])
    assert run(lambda *_: {"output": SECRET, "places": [SECRET]}) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["places"] == ["s3://***@bucket/a?***"]
    assert "hidden" not in out + err


def test_the_resume_command_leaves_credentials_to_be_filled_in():
    command = command_line.resume_command("jobs.x", ["--data-dir", SECRET, "--set", f"data.cache_path={SECRET}"])
    assert "hidden" not in command
    assert command.count("s3://***@bucket/a?***") == 2

"""Standard streams that are closed."""

import subprocess
import sys

import pytest

from jobs import command_line


@pytest.mark.parametrize("rows", [1, 100_000])
def test_a_closed_standard_output_is_one_line(rows):
    """As `| head` closes it: before the last line, or while the job still writes."""
    code = f"""
import sys
from jobs import command_line
def work(arguments, progress):
    sys.stdin.readline()
    for _ in range({rows}):
        sys.stdout.write("a row of a file\\n")
    return {{}}
sys.exit(command_line.run(command_line.make_parser("jobs.test", None), work, []))
"""
    job = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    job.stdout.close()
    _, err = job.communicate("go on\n", timeout=60)
    assert err == "jobs.test: standard output was closed before the last line\n"
    assert job.returncode == command_line.EXIT_FAILED


_JOB = """
import sys
from jobs import command_line
def work(arguments, progress):
    progress("work", 1, 2)
    progress.line("a line")
    if arguments.fails:
        raise command_line.FarmRayError("a mistake")
    return {}
parser = command_line.make_parser("jobs.test", None)
parser.add_argument("--fails", action="store_true")
parser.add_argument("--text")
sys.exit(command_line.run(parser, work, sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("redirected", "code"),
    [
        (">&-", 0),
        ("2>&- --fails", 2),
        ("<&- >&- 2>&- --fails", 2),
        ("2>&1 >/dev/null --fails | true", 2),
        ("| true", 0),
    ],
)
def test_closed_streams_give_no_traceback_and_keep_the_exit_code(redirected, code):
    """Closed before the job begins, or by a reader that goes away."""
    line = f'"$0" -c "$1" {redirected}; exit ${{PIPESTATUS[0]}}'
    command = ["bash", "-c", line, sys.executable, _JOB]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr

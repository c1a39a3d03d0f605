"""What every job shares: flags, progress on stderr, one JSON object as the last line of stdout, exit codes.

Exit codes: 0 done; 1 failed (traceback on stderr); 2 usage, configuration or data problem (one line on stderr);
75 stopped by a signal but resumable; 130 Ctrl-C.

Whatever is printed has `***` in place of the credentials of an address.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import logging
import math
import os
import re
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from farm_ray import cluster
from farm_ray.credentials import redact
from farm_ray.errors import FarmRayError
from farm_ray.plain import PlainDict
from jobs.progress import ProgressPrinter
from jobs.streams import mute, open_closed_streams, write
from jobs.wording import with_flags

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_PREEMPTED = 75
EXIT_INTERRUPTED = 130

Work = Callable[[argparse.Namespace, ProgressPrinter], PlainDict]
"""A job's own part: parsed flags and a progress function in, the result (what the JSON line says) out."""

_IMPORTS = "imported_modules"
_OF_PATHS = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EROFS)
_LONG_WORD = re.compile(r"\S{1000,}")
"""No path or option is so long; values of damaged files are."""
_SHOWN_OF_A_WORD = 200
_DISK_FULL = ("No space left on device", "Disk quota exceeded", "os error 28")


class Terminated(BaseException):
    """SIGTERM arrived where nobody was there to write a checkpoint."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and which knows how the library's arguments are called here."""

    fields: Mapping[str, str] = MappingProxyType({})
    """The dotted name of an experiment's field, which --set takes, for its last part."""

    def error(self, message: str) -> NoReturn:
        """Prints the line and exits with 2."""
        self.exit(EXIT_USAGE, f"{self.prog}: {redact(message)}; see python -m {self.prog} --help\n")

    @property
    def flags(self) -> dict[str, str]:
        """`--batch-size` for `batch_size`."""
        return {action.dest: action.option_strings[-1] for action in self._actions if action.option_strings}


def make_parser(name: str, description: str | None) -> Parser:
    """A parser for the job `name` (for example `jobs.train`); add its flags to it.

    A flag has the name of the argument that it fills as its `dest`, so that messages can be told in flags.
    """
    parser = Parser(prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--import",
        dest=_IMPORTS,
        action="append",
        metavar="MODULE",
        help="import this module first, which brings processors, heads, tasks or metrics of your own; repeatable",
    )
    return parser


def whole_number(text: str) -> int:
    """For `type=`: an integer of at least 0."""
    number = integer(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {number}")
    return number


def integer(text: str) -> int:
    """For `type=`: an integer, also a negative one."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'needs a whole number, not "{text}"') from None


def positive_number(text: str) -> int:
    """For `type=`: an integer of at least 1."""
    number = whole_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more, not 0")
    return number


def workers(text: str) -> int | tuple[int, int]:
    """For `type=`: a number of at least 0, or `MIN:MAX` as two of at least 1."""
    least, colon, most = text.partition(":")
    if not colon:
        return whole_number(text)
    between = positive_number(least), positive_number(most)
    if between[0] > between[1]:
        raise argparse.ArgumentTypeError(f"MIN:MAX needs MIN <= MAX, not {text}")
    return between


def run(
    parser: Parser,
    work: Work,
    argv: list[str] | None = None,
    *,
    resumable: bool | Callable[[argparse.Namespace], bool] = False,
) -> int:
    """Parses the flags, does the work, prints the result and returns the exit code; no Ray process stays behind.

    Args:
        parser: From `make_parser`; its `prog` starts every line on stderr.
        work: Gets flags and progress; returns the result. A `"status"` of `"preempted"` in it means exit code 75.
        argv: Flags without the program's name; None takes the process's own.
        resumable: Whether the same command can be run again after a SIGTERM and goes on where it was; or what says
            that from the flags.
    """
    open_closed_streams()
    arguments = parser.parse_args(argv)
    _check_text(parser, arguments)
    goes_on = resumable(arguments) if callable(resumable) else resumable
    progress = ProgressPrinter(parser.prog, sys.stderr)
    with _log_lines(progress, parser), _sigterm_raises():
        code, result = _attempt(parser, work, arguments, progress, resumable=goes_on)
    if result is None:
        return code
    try:
        sys.stdout.flush()
    except OSError:
        return _nobody_reads(parser.prog)
    try:
        print(json.dumps(plain(result), ensure_ascii=False), flush=True)
    except OSError as error:
        # The work is done, whether or not somebody reads the line.
        mute(sys.stdout)
        _say(parser.prog, f"the result could not be printed: {error.strerror}")
    return code


def _check_text(parser: Parser, arguments: argparse.Namespace) -> None:
    """Ends the job where an argument is no UTF-8: it could not be passed on, printed or stored."""
    for name, value in vars(arguments).items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not _is_text(text):
                shown = text.encode("utf-8", "backslashreplace").decode()
                what = parser.flags.get(name, name.upper())
                parser.error(f"{what} is not UTF-8: {shown}; rename the file, or write the text in UTF-8")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def resume_command(name: str, argv: list[str] | None = None) -> str:
    """The command that goes on with this run: the same one, with `--resume auto` and `***` for credentials."""
    import shlex

    given = list(sys.argv[1:] if argv is None else argv)
    kept = [
        part
        for place, part in enumerate(given)
        if not (part == "--resume" or part.startswith("--resume=") or (place and given[place - 1] == "--resume"))
    ]
    return shlex.join(["python", "-m", name, *map(redact, kept), "--resume", "auto"])


def plain(value: object) -> object:
    """The value as JSON knows it: numpy numbers as numbers, arrays and tuples as lists, NaN and infinity as null.

    Texts have `***` in place of the credentials of an address.
    """
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(part) for part in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return redact(str(value))


def _import_modules(names: Sequence[str]) -> None:
    from farm_ray.experiment.load import import_module

    for name in names:
        import_module(name)


def _attempt(
    parser: Parser, work: Work, arguments: argparse.Namespace, progress: ProgressPrinter, *, resumable: bool
) -> tuple[int, PlainDict | None]:
    try:
        try:
            _import_modules(getattr(arguments, _IMPORTS, None) or ())
            result = {"status": "ok", **work(arguments, progress)}
        finally:
            progress.close()
            cluster.disconnect()
    except KeyboardInterrupt:
        return _interrupted(parser.prog, resumable=resumable)
    except Terminated:
        return _terminated(parser.prog, resumable=resumable)
    except Exception as error:  # noqa: BLE001 - the border of the program: every error becomes an exit code
        return _failed(parser, error), None
    return (EXIT_PREEMPTED if result["status"] == "preempted" else EXIT_OK), result


def _interrupted(name: str, *, resumable: bool) -> tuple[int, PlainDict | None]:
    if not resumable:
        _say(name, "stopped by Ctrl-C")
        return EXIT_INTERRUPTED, None
    return EXIT_INTERRUPTED, _goes_on(name, "Ctrl-C")


def _terminated(name: str, *, resumable: bool) -> tuple[int, PlainDict | None]:
    if not resumable:
        _say(name, "stopped by SIGTERM; run the same command again")
        return EXIT_FAILED, None
    return EXIT_PREEMPTED, _goes_on(name, "SIGTERM")


def _goes_on(name: str, signal_name: str) -> PlainDict:
    """The result of a job that was stopped and can go on; says how."""
    command = resume_command(name)
    _say(name, f"stopped by {signal_name}; go on with: {command}")
    return {"status": "preempted", "resume": command}


def _failed(parser: Parser, error: Exception) -> int:
    name, inner = parser.prog, cluster.underlying_error(error)
    if isinstance(inner, KeyboardInterrupt):
        _say(name, "stopped by Ctrl-C")
        return EXIT_INTERRUPTED
    if isinstance(inner, FarmRayError):
        _say(name, _LONG_WORD.sub(_shortened, with_flags(str(inner), parser.flags, parser.fields)))
        return EXIT_USAGE
    if isinstance(inner, BrokenPipeError) and _stdout_is_closed():
        return _nobody_reads(name)
    message = _file_system_message(inner)
    if message:
        _say(name, message)
        return EXIT_USAGE
    write(sys.stderr, redact("".join(traceback.format_exception(error))))
    _say(name, f"failed: {type(inner).__name__}: {inner}")
    return EXIT_FAILED


def _shortened(word: re.Match[str]) -> str:
    return f"{word[0][:_SHOWN_OF_A_WORD]}... ({len(word[0]):,} characters)"


def _stdout_is_closed() -> bool:
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # errors are told unasked
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _nobody_reads(name: str) -> int:
    """Standard output was closed, as `| head` does; what is still in its buffer must not fail at exit once more."""
    mute(sys.stdout)
    _say(name, "standard output was closed before the last line")
    return EXIT_FAILED


def _file_system_message(error: BaseException) -> str | None:
    if any(sign in str(error) for sign in _DISK_FULL):
        return f"the disk is full ({error}); free some space or write elsewhere. Nothing half-written was left"
    if isinstance(error, PermissionError) and error.filename:
        return f"no permission to use {error.filename}; change it or write elsewhere"
    if isinstance(error, OSError) and error.errno in _OF_PATHS and error.filename:
        return f"cannot use {error.filename}: {os.strerror(error.errno)}; give another path"
    return None


def _say(name: str, message: str) -> None:
    write(sys.stderr, f"{name}: {redact(' '.join(message.split()))}\n")


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    """SIGTERM raises `Terminated`, so that clean-up runs; the trainer puts its own handler in front while it trains."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(_number: int, _frame: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _ProgressHandler(logging.Handler):
    """Log records as lines that do not run into the progress bar."""

    def __init__(self, progress: ProgressPrinter, parser: Parser) -> None:
        super().__init__()
        self.progress, self.parser = progress, parser
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Prints the record; warnings say so."""
        word = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        self.progress.line(word + with_flags(self.format(record), self.parser.flags, self.parser.fields))


@contextlib.contextmanager
def _log_lines(progress: ProgressPrinter, parser: Parser) -> Iterator[None]:
    """Shows farm_ray's log from INFO and everyone else's from WARNING, for as long as the job runs."""
    # transformers draws bars of its own while it reads and writes weights.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    root, ours = logging.getLogger(), logging.getLogger("farm_ray")
    handler, level = _ProgressHandler(progress, parser), ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(level)

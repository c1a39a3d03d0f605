"""Standard streams that may be closed: before the job begins (`2>&-`), or by who reads them (`| head -1`)."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO

_NAMES = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed_streams() -> None:
    """Puts nothing (/dev/null) where a standard stream is closed.

    A file that is opened later would get its number otherwise, and all that libraries print there.
    """
    for number, (name, mode) in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            _silence(number)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - a number


def write(stream: TextIO, text: str) -> None:
    """Writes the text at once; what nobody reads any more goes nowhere, now and later."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        mute(stream)


def mute(stream: TextIO) -> None:
    """Lets a stream go nowhere, so that what is left in its buffer does not fail once more at the program's end."""
    with contextlib.suppress(io.UnsupportedOperation):
        _silence(stream.fileno())


def _silence(number: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)
    os.set_inheritable(number, True)

"""The library's messages in the words of a job: arguments become flags, or keys of `--set`.

A message names an argument alone (`use_gpu was asked for`) or with a value as Python writes it (`delimiter=','`), and
its alternatives with `, or `. Whoever runs a job gets what can be typed there, and not the alternatives that are calls
or arguments of Python.
"""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A name alone or in front of `=`; not part of a path, a dotted name, a flag or a quoted value.
_ARGUMENT = re.compile(
    r"""(?<![\w./"'=-])
        (?P<name>[a-z]+(?:_[a-z0-9]+)*)
        (?: (?P<sign>=) (?P<value> '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | (?:True|False|None)\b )?
          | (?![\w/"'=-]|\.\w) )""",
    re.VERBOSE,
)
_ALTERNATIVE = re.compile(r", or (?:(?!, or )[^;\n])*")
_IMPORT = re.compile(r"import the module that defines (it|a class of your own) first")
_CALL = re.compile(r"\b[A-Za-z_][\w.]*\([^()]*\)")


def with_flags(message: str, flags: Mapping[str, str], fields: Mapping[str, str]) -> str:
    """The message in a job's words: `delimiter=','` becomes `--delimiter ,`, and `gpu=True` `--use-gpu`.

    A word of English that is an argument's name too stays where no `=` follows it.

    Args:
        message: With arguments under the names that functions give them.
        flags: The flag for an argument's name.
        fields: The dotted name of an experiment's field for its last part; where a value follows, it is set by --set.
    """

    def in_words_of_the_job(found: re.Match[str]) -> str:
        name, sign, value = found["name"], found["sign"], found["value"]
        if name in flags and (sign or "_" in name):
            return _with_flag(flags[name], sign, value)
        if name in fields and sign:
            return _with_set(fields[name], value)
        return fields[name] if name in fields and "_" in name else found[0]

    def of_the_job(found: re.Match[str]) -> str:
        arguments = [one["name"] for one in _ARGUMENT.finditer(found[0]) if one["sign"]]
        is_typed = not _CALL.search(found[0]) and all(name in flags or name in fields for name in arguments)
        return found[0] if is_typed else ""

    typed = _IMPORT.sub(r"name the module that defines \1 with --import", message)
    return _ARGUMENT.sub(in_words_of_the_job, _ALTERNATIVE.sub(of_the_job, typed))


def _with_flag(flag: str, sign: str | None, value: str | None) -> str:
    """`--use-gpu` is a switch, so it has no True; an empty text stands for None on a command line."""
    if not sign:
        return flag
    if value is None:
        return f"{flag} "
    given = ast.literal_eval(value)
    if isinstance(given, bool):
        return flag if given else f"no {flag}"
    return f"{flag} {_word('' if given is None else given)}"


def _with_set(name: str, value: str | None) -> str:
    if value is None:
        return f"--set {name}="
    given = ast.literal_eval(value)
    plain = {None: "null", True: "true", False: "false"}.get(given, given)
    return f"--set {shlex.quote(f'{name}={_visible(plain)}')}"


def _word(text: str) -> str:
    return shlex.quote(_visible(text)) if text else '""'


def _visible(text: str) -> str:
    r"""A tab as `\t`, which flags and configurations of delimiters take."""
    return text.replace("\t", "\\t")

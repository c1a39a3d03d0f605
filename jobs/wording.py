"""Messages of the library speak of arguments; whoever runs a job knows them as flags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A name alone or in front of `=`; not part of a path, a dotted name, a flag or a quoted value.
_ARGUMENT = re.compile(r"""(?<![\w./"'=-])([a-z]+(?:_[a-z]+)*)(=True\b|=False\b|=None\b|=|(?![\w./"'=-]))""")


def with_flags(message: str, flags: Mapping[str, str], fields: Mapping[str, str]) -> str:
    """The message in a job's words: `task_type="x"` becomes `--task-type "x"`, and `gpu=True` `--use-gpu`.

    A word of English that is an argument's name too stays where no `=` follows it.

    Args:
        message: With arguments under the names that functions give them.
        flags: The flag for an argument's name.
        fields: The dotted name of an experiment's field for its last part; where a value follows, it is set by --set.
    """

    def in_words_of_the_job(found: re.Match[str]) -> str:
        name, sign = found.groups()
        if name in flags and (sign or "_" in name):
            return _with_value(flags[name], sign)
        return f"--set {fields[name]}{sign}" if name in fields and sign else found[0]

    return _ARGUMENT.sub(in_words_of_the_job, message)


def _with_value(flag: str, sign: str) -> str:
    """`--use-gpu` is a switch, so it has no True; an empty text stands for None on a command line."""
    return {"": flag, "=True": flag, "=False": f"no {flag}", "=None": f'{flag} ""', "=": f"{flag} "}[sign]

"""How tags of words say where entities begin and end: the spellings of one scheme, and tags that say nothing of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

OUTSIDE = "O"
"""The tag of words that are part of no entity."""
NO_TAGS = ("X", "[PAD]")
"""Labels of FARM's label lists that stand for no tag: of pieces inside a word, and of padding."""
UNTYPED = "entity"
"""The type of entities whose tags name none: B, I and O alone."""

_PARTS = re.compile(r"([BIESLUM])(?:([-_])(.*))?", re.DOTALL)
_LOWER = re.compile(r"[bieslum](?:[-_].*)?", re.DOTALL)
_SUFFIXED = re.compile(r".+[-_][BIESLUM]")
_NUMBER = re.compile(r"\d+(?:\.0*)?")
_MIDDLE = {"M": "I"}
"""Of BMES: what stands between begin and end."""
_SHOWN = 6


def hyphenated(tags: Iterable[str]) -> dict[str, str]:
    """Each tag as `B-PER`, `I-PER`, ..., where all of them are of one scheme in another spelling, else as it is.

    Spellings are `B_PER`, `b-PER`, `M-PER` (BMES), and `B` alone, which gives entities of the type `entity`.

        O B_PER I_PER  ->  O B-PER I-PER        O B I  ->  O B-entity I-entity        O PER B  ->  O PER B
    """
    all_tags = dict.fromkeys(tags)
    inner = [tag for tag in all_tags if tag != OUTSIDE and tag not in NO_TAGS]
    upper = [tag[:1].upper() + tag[1:] for tag in inner] if all(map(_LOWER.fullmatch, inner)) else inner
    parts = [_PARTS.fullmatch(tag) for tag in upper]
    found = [part for part in parts if part is not None]
    if len(found) < len(inner) or not any(part[1] in "BI" for part in found):
        return {tag: tag for tag in all_tags}
    spelled = {
        tag: f"{_MIDDLE.get(part[1], part[1])}-{part[3] or UNTYPED}" for tag, part in zip(inner, found, strict=True)
    }
    return {tag: spelled.get(tag, tag) for tag in all_tags}


def check_entity_tags(tags: Iterable[str], *, metric: str) -> None:
    """Refuses tags that entities cannot be counted in, for they do not say which words are part of none.

    Args:
        tags: All tags that there are: the label list of a task.
        metric: Who wants to count.

    Raises:
        ConfigError: When there is no tag `O`, or the prefixes stand at the end (`PER-B`).
    """
    known = list(dict.fromkeys(tags))
    inner = [tag for tag in known if tag != OUTSIDE and tag not in NO_TAGS]
    if OUTSIDE in known:
        if inner and all(map(_SUFFIXED.fullmatch, inner)):
            raise ConfigError(
                f'{metric} counts entities, and the tags {_shown(inner)} have B and I at their end; write "B-PER" for '
                '"PER-B" in the data',
                code="wrong-tags",
                metric=metric,
                value=inner,
            )
        return
    raise ConfigError(
        f'{metric} counts entities, and the tags {_shown(known)} lack "O" for other words; {_hint(inner)}',
        code="wrong-tags",
        metric=metric,
        value=known,
    )


def are_numbers(tags: Iterable[str]) -> bool:
    """Whether all tags are the numbers of some list of names."""
    return all(map(_NUMBER.fullmatch, tags))


def _hint(tags: list[str]) -> str:
    accuracy = 'use metric="acc"'
    if are_numbers(tags):
        return f"write their names in the data (O, B-PER, ...) in place of numbers, or {accuracy}"
    if "o" in tags or "0" in tags:
        return f'write "O" for "{"o" if "o" in tags else "0"}" in the data, or {accuracy}'
    return accuracy


def _shown(tags: list[str]) -> str:
    more = f", ... {len(tags)} tags" if len(tags) > _SHOWN else ""
    return f"[{', '.join(tags[:_SHOWN])}{more}]"

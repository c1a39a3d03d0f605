"""Texts that Arrow can hold: Python's strings may hold halves of surrogate pairs, which no encoding has."""

from __future__ import annotations


def clean(text: str) -> str:
    """The text, with half surrogate pairs written out as their codes."""
    return text if is_unicode(text) else text.encode("utf-8", "backslashreplace").decode()


def is_unicode(text: str) -> bool:
    """Whether the text can be encoded."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

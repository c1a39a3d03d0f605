"""Values of JSON and Parquet files as text."""

from __future__ import annotations

import json


def cell_text(value: object) -> str | None:
    """The value as Python's str writes it; None for null and NaN; lists and objects as JSON; bytes as utf-8.

    Raises:
        UnicodeError: For text with half of a surrogate pair, and for bytes that are not utf-8.
    """
    if isinstance(value, str):
        text = value
    elif value is None or value != value:  # noqa: PLR0124 - NaN, the missing number of pandas
        return None
    elif isinstance(value, bytes):
        return value.decode("utf-8")
    elif isinstance(value, list | dict | tuple):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        return str(value)
    if not text.isascii():
        text.encode("utf-8")
    return text

"""For tests of errors: the class, the code and some facts, in place of the sentence."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm_ray.errors import FarmRayError


@contextlib.contextmanager
def raised(
    kind: type[FarmRayError], code: str, /, *, match: str | None = None, **facts: Any
) -> Iterator[pytest.ExceptionInfo[FarmRayError]]:
    """As `pytest.raises` for one of our errors.

    Example:
        with raised(ConfigError, "unknown-metric", value="acccc"):
            resolve_metrics("acccc")

    Args:
        kind: Its class, or one above.
        code: Its `code`.
        match: Searched for in its message, where what it says is the point of the test.
        facts: Some of its facts; `file` may be the name alone, without its folder.
    """
    with pytest.raises(kind) as caught:
        yield caught
    error = caught.value
    found = {name: error.facts.get(name) for name in facts}
    if "file" in facts and "/" not in str(facts["file"]):
        found["file"] = str(found["file"]).rpartition("/")[2]
    assert (error.code, found) == (code, facts), f"{error} ({error.code}, {error.facts})"
    assert match is None or re.search(match, str(error)), error

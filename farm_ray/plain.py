"""Values as JSON and YAML hold them: texts, numbers, booleans, None, and lists and mappings of these.

What a name stands for, only who reads or writes it knows: a configuration is checked where it is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PlainDict = dict[str, Any]
"""Names to such values."""

PlainMapping = Mapping[str, Any]
"""The same, to be read only."""

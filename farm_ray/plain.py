"""Values as JSON and YAML hold them."""

from __future__ import annotations

from typing import Any

PlainDict = dict[str, Any]
"""Names to texts, numbers, booleans, None, and lists and mappings of these; who reads it knows its fields."""

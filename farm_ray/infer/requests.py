"""What a caller sends, cut into tables of dicts: every element keeps its place. Imports neither ray nor torch."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from farm_ray.data_handler.processor import Processor


def request_tables(dicts: Iterable[Any], processor: Processor, *, rows: int) -> Iterator[pa.Table]:
    """Tables of id, text and problem with at most `rows` rows, read only as they are asked for; at least one.

    An element that is no dict with a text becomes a row with a problem. Elements without an id of their own are
    numbered from 0.
    """
    numbered = enumerate(dicts)
    first = True
    while (chunk := list(itertools.islice(numbered, rows))) or first:
        first = False
        yield processor.dicts_to_table([element for _, element in chunk], [number for number, _ in chunk])


def check_dicts(dicts: Any) -> None:
    """Raises ConfigError for one dict or one text where a list is meant."""
    if isinstance(dicts, Mapping | str | bytes) or not isinstance(dicts, Iterable):
        form = '[{"text": "..."}]'
        raise ConfigError(f"dicts must be a list such as {form}, not one {type(dicts).__name__}", value=repr(dicts))

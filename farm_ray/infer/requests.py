"""What a caller sends, cut into tables of dicts: every element keeps its place. Imports neither ray nor torch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from farm_ray.data_handler.processor import Processor


def request_tables(dicts: Iterable[object], processor: Processor, *, rows: int) -> Iterator[pa.Table]:
    """Tables of id, text and problem with at most `rows` rows, read only as they are asked for; at least one.

    An element that is no dict with a text becomes a row with a problem. Elements without an id of their own are
    numbered from 0.
    """
    numbered = enumerate(dicts)
    first = True
    while (chunk := list(itertools.islice(numbered, rows))) or first:
        first = False
        yield processor.dicts_to_table([element for _, element in chunk], [number for number, _ in chunk])

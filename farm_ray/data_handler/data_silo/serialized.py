"""Tables that Ray Data must not tear apart or join: each is one row of bytes, beside the mark that says which it is."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Mark = tuple[int, ...]
"""Says which table of a job this is; whoever reads the table makes it up."""

_ALIGNMENT = 64


def serialized(mark: Mark, table: pa.Table) -> pa.Table:
    """One row: the mark, and the table as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    # So that the table behind it begins at a multiple of this again.
    sink.write(b"\0" * (-sink.tell() % _ALIGNMENT))
    content: Any = sink.getvalue()
    column = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 1, [None, pa.py_buffer(_offsets(content.size)), content]
    )
    return pa.table({"mark": pa.array([list(mark)], pa.list_(pa.int64())), "table": column})


def deserialized(rows: pa.Table) -> Iterator[tuple[Mark, pa.Table]]:
    """The marks and tables of some rows, without copying the tables."""
    # A task that has read nothing gives a block without columns.
    if rows.num_rows:
        contents = (content for chunk in rows.column("table").chunks for content in _contents(chunk))
        for mark, content in zip(rows.column("mark").to_pylist(), contents, strict=True):
            yield tuple(mark), pa.ipc.open_stream(content).read_all()


def map_serialized(transform: Callable[[pa.Table], pa.Table], rows: pa.Table) -> pa.Table:
    """Rows with what the transform makes of their tables, under the same marks."""
    return pa.concat_tables([serialized(mark, transform(table)) for mark, table in deserialized(rows)])


def _contents(column: pa.LargeBinaryArray) -> Iterator[pa.Buffer]:
    """The bytes of each row where they lie; a scalar would be a copy."""
    _, offsets, content = column.buffers()
    borders = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    return (content.slice(start, end - start) for start, end in itertools.pairwise(borders.tolist()))


def _offsets(size: int) -> bytes:
    return (0).to_bytes(8, "little") + size.to_bytes(8, "little")

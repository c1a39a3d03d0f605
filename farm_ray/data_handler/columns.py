"""Small helpers on Arrow columns that the arrows share."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_PICKLED = "ray.data.arrow_pickled_object"
"""Ray's extension type of Arrow; once Ray is imported, such a value is unpickled as soon as it is looked at."""


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def null_where_not(lists: pa.Array, keep: pa.BooleanArray) -> pa.Array:
    """Lists, null where `keep` is false; of lists of fixed length, values below a null are kept but not seen."""
    if not pa.types.is_fixed_size_list(lists.type):
        return pc.if_else(keep, lists, pa.scalar(None, lists.type))
    size = lists.type.list_size
    values = lists.values.slice(lists.offset * size, len(lists) * size)
    hidden = pc.or_(pc.invert(keep), pc.is_null(lists))
    return pa.FixedSizeListArray.from_arrays(values, type=lists.type, mask=hidden)


def pickled_columns(schema: pa.Schema) -> list[str]:
    """The columns that hold pickled Python objects, at any depth; a file from elsewhere must not be read with them."""
    return [field.name for field in schema if _is_pickled(field)]


def _is_pickled(field: pa.Field) -> bool:
    # Without Ray nobody knows the type, and its name stands in the metadata.
    name = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    return name == _PICKLED or _holds_pickled(field.type)


def _holds_pickled(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return kind.extension_name == _PICKLED or _holds_pickled(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _holds_pickled(kind.value_type)
    return any(_is_pickled(kind.field(position)) for position in range(kind.num_fields))

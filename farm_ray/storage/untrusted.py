"""Arrow files from elsewhere: what must not be read of them."""

from __future__ import annotations

import pyarrow as pa

_PICKLED = "ray.data.arrow_pickled_object"
"""Ray's extension type of Arrow; once Ray is imported, such a value is unpickled as soon as it is looked at."""


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

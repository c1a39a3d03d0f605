"""Columns of Arrow files that hold pickled objects are found by their name in the metadata, at any depth."""

import pyarrow as pa
import pytest

from farm_ray.storage.untrusted import pickled_columns

MARK = {b"ARROW:extension:name": b"ray.data.arrow_pickled_object"}
BYTES = pa.field("x", pa.large_binary(), metadata=MARK)


@pytest.mark.parametrize(
    "field",
    [
        BYTES,
        pa.field("x", pa.list_(pa.field("item", pa.large_binary(), metadata=MARK))),
        pa.field("x", pa.struct([pa.field("a", pa.int64()), pa.field("b", pa.struct([BYTES]))])),
        pa.field("x", pa.map_(pa.string(), pa.field("value", pa.large_binary(), metadata=MARK))),
        pa.field("x", pa.dictionary(pa.int8(), pa.list_(pa.field("item", pa.large_binary(), metadata=MARK)))),
    ],
    ids=["plain", "list", "struct", "map", "dictionary"],
)
def test_pickled_values_at_any_depth(field):
    schema = pa.schema([("id", pa.string()), field, ("y", pa.large_binary())])
    assert pickled_columns(schema) == ["x"]


def test_other_extensions_are_read():
    other = pa.field("x", pa.large_binary(), metadata={b"ARROW:extension:name": b"arrow.json"})
    assert pickled_columns(pa.schema([other, ("y", pa.list_(pa.int64()))])) == []


def test_with_ray_the_type_itself_is_known():
    class Pickled(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.large_binary(), "ray.data.arrow_pickled_object")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, _storage, _serialized):
            return cls()

    assert pickled_columns(pa.schema([("x", pa.list_(Pickled()))])) == ["x"]

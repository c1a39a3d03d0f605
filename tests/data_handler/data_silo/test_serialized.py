"""Tables as one row of bytes: whole again, whatever Ray does with the rows around them."""

import pyarrow as pa
import pytest

from farm_ray.data_handler.data_silo.serialized import deserialized, map_serialized, serialized

TABLES = {
    (1, 2): pa.table({"id": ["a", "b"], "ids": [[1, 2], None]}),
    (3, 4): pa.table({"id": pa.array([], pa.string()), "ids": pa.array([], pa.list_(pa.int64()))}),
    (5, 6): pa.table({"id": ["c"], "ids": [[7]]}),
}


def rows():
    return pa.concat_tables([serialized(mark, table) for mark, table in TABLES.items()])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_marks_and_tables_come_back(size):
    blocks = [rows().slice(at, size) for at in range(0, len(TABLES), size)]
    assert {mark: table for block in blocks for mark, table in deserialized(block)} == TABLES


def test_a_block_without_columns_holds_nothing():
    assert list(deserialized(pa.table({}))) == []


def test_tables_are_read_where_they_lie():
    block = rows().combine_chunks()
    content = block.column("table").chunk(0).buffers()[2]
    for _, table in deserialized(block):
        for buffer in filter(None, table.column("id").chunk(0).buffers() if table.num_rows else ()):
            assert content.address <= buffer.address < content.address + content.size
            assert (buffer.address - content.address) % 8 == 0


def test_a_transform_keeps_the_marks():
    changed = map_serialized(lambda table: table.select(["id"]), rows())
    assert {mark: table.column_names for mark, table in deserialized(changed)} == {mark: ["id"] for mark in TABLES}

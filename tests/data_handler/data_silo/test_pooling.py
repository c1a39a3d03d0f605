"""Sets as one set: which rows, in which order, and that no feature is copied."""

import pyarrow as pa
import pytest

from farm_ray.data_handler.data_silo.pooling import Units, pool
from tests.data_handler.data_silo.feature_tables import features


def test_sets_of_one_table_give_back_its_rows_in_order():
    whole = features([f"t:{n}" for n in range(6)], label_ids=range(6))
    pooled = pool([whole.subset([4, 0, 5]), whole.subset([2, 1])])
    assert pooled.ids() == ["t:0", "t:1", "t:2", "t:4", "t:5"]
    assert pooled.table is whole.table


def test_tables_are_joined_without_a_copy():
    train, test = (features([f"{name}:{n}" for n in range(3)], label_ids=[0, 1, 2]) for name in ("train", "test"))
    pooled = pool([train.subset([2, 0]), train.subset([1]), test.subset([2, 1])])
    assert pooled.ids() == ["train:0", "train:1", "train:2", "test:1", "test:2"]
    assert pooled.column("label_ids").ravel().tolist() == [0, 1, 2, 1, 2]
    addresses = [
        [chunk.values.buffers()[1].address for chunk in table.column("input_ids").chunks]
        for table in (train.table, test.table, pooled.table)
    ]
    assert addresses[2] == addresses[0] + addresses[1]


def test_references_to_blocks_are_joined_too():
    train, test = features(["a", "b"]), features(["c"])
    blocks = ["reference to a", "reference to b"]
    train = type(train)(table=train.table, rows=train.rows, padding=train.padding, blocks=tuple(blocks))
    other = type(train)(table=test.table, rows=test.rows, padding=test.padding, blocks=("reference to c",))
    assert pool([train, other]).blocks == (*blocks, "reference to c")
    assert pool([test]).blocks == ()


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_a_table_of_this_process_is_put_beside_the_blocks():
    import ray

    here, there = features(["a", "b"]), features(["c"])
    there = type(here)(table=there.table, rows=there.rows, padding=there.padding, blocks=(ray.put(there.table),))
    pooled = pool([here, there])
    assert pa.concat_tables(ray.get(list(pooled.blocks))).equals(pooled.table)


def test_units_are_rows_or_all_windows_of_a_text():
    assert Units.of(features(["a", "b"])).of_row.tolist() == [0, 1]
    windowed = features(["a-0", "a-1", "b-0", "c-0", "c-1"], windows=[0, 1, 0, 0, 1])
    units = Units.of(windowed.subset([0, 1, 3, 4]))
    assert units.of_row.tolist() == [0, 0, 1, 1]
    assert units.first_rows.tolist() == [0, 2]
    assert units.hashes.tolist() == windowed.row_hashes[[0, 3]].tolist()
    assert len(units) == 2

import pyarrow as pa

from farm_ray.data_handler.columns import null_where_not, one_array


def test_one_array_of_any_number_of_chunks():
    assert one_array(pa.chunked_array([[1, 2], [3]])).to_pylist() == [1, 2, 3]
    assert one_array(pa.chunked_array([], pa.int64())).to_pylist() == []


def test_null_where_not_on_a_slice():
    lists = pa.array([[1, 2], [3, 4], None, [7, 8], [9, 10]], pa.list_(pa.int64(), 2)).slice(1)
    assert null_where_not(lists, pa.array([True, True, False, True])).to_pylist() == [[3, 4], None, None, [9, 10]]


def test_null_where_not_of_lists_of_any_length():
    lists = pa.array([[1], [2, 3], None, []], pa.list_(pa.int32())).slice(1)
    kept = null_where_not(lists, pa.array([True, True, False]))
    assert kept.to_pylist() == [[2, 3], None, None]
    assert kept.type == pa.list_(pa.int32())

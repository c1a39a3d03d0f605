import pyarrow as pa

from farm_ray.data_handler.sample_columns import text_schema
from tests.tasks.making import make_task


def test_schema_by_task_type():
    tasks = {
        "one": make_task("one", metric="acc", label_list=["a", "b"], task_type="classification"),
        "many": make_task("many", metric="acc", label_list=["a", "b", "c"], task_type="multilabel_classification"),
    }
    schema = text_schema(tasks)
    assert schema.names == ["id", "text", "one_label_ids", "many_label_ids", "problem"]
    assert schema.field("one_label_ids").type == pa.list_(pa.int64(), 1)
    assert schema.field("many_label_ids").type == pa.list_(pa.int64(), 3)

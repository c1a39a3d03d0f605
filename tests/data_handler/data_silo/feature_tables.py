"""Feature tables made by hand, for tests of splits."""

import numpy as np
import pyarrow as pa

from farm_ray.data_handler import feature_schema
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.samples_to_features.padding import Padding


def feature_table(columns):
    """A table of features by name; columns of other names than the schema's are labels."""
    table = pa.table(columns)
    fields = [field if feature_schema.is_known(field.name) else feature_schema.labels(field) for field in table.schema]
    return table.cast(pa.schema(fields))


def features(ids, *, windows=None, **labels):
    """A set of all rows of a table with these ids, windows per dict, and label columns of any kind."""
    columns = {"id": pa.array(ids, pa.string()), "input_ids": pa.array([[2, 7, 3]] * len(ids), pa.list_(pa.int32()))}
    if windows is not None:
        columns |= {"window": pa.array(windows, pa.int32()), "dict_id": [one.rpartition("-")[0] for one in ids]}
    for name, values in labels.items():
        columns[name] = values if isinstance(values, pa.Array | pa.ChunkedArray) else fixed(values)
    columns["n_tokens"] = pa.array([3] * len(ids), pa.int32())
    columns["clipped"] = pa.array([False] * len(ids))
    return FeatureSet(table=feature_table(columns), rows=np.arange(len(ids)), padding=Padding(pad_token_id=0))


def fixed(values):
    """A column of lists of one length, [n, k] or [n]."""
    array = np.asarray(values)
    array = array.reshape(len(array), -1)
    kind = pa.float32() if array.dtype.kind == "f" else pa.int32()
    return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel(), kind), array.shape[1])


def tags(rows):
    """A column of tags of tokens."""
    return pa.array(rows, pa.list_(pa.int32()))

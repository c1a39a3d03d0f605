"""What the columns of features are: named by the schema, or an error; never a tensor by chance."""

import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler import feature_schema
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.columns import joined
from farm_ray.data_handler.feature_schema import Feature, Role, features_of
from farm_ray.data_handler.samples_to_features.padding import Padding
from farm_ray.errors import ConfigError
from tests.raised import raised

LABELS = feature_schema.labels(pa.field("topic", pa.list_(pa.int64(), 1)))
OWN = feature_schema.own(pa.field("scores", pa.list_(pa.list_(pa.float32(), 2), 3)))
NUMBER = feature_schema.own(pa.field("number", pa.int64()))
COLUMNS = {
    "id": ["a", "b"],
    "input_ids": pa.array([[2, 7, 3], [2, 3]], pa.list_(pa.int32())),
    "n_tokens": pa.array([3, 2], pa.int32()),
}
VALUES = {"topic": [[1], [0]], "scores": [[[0.5, 1.0]] * 3] * 2, "number": [4, 5]}


def table(*fields):
    """Two rows with further columns."""
    columns = pa.table(COLUMNS)
    for field in fields:
        columns = columns.append_column(field, pa.array(VALUES[field.name], field.type))
    return columns


def rows_of(features):
    return FeatureSet(table=features, rows=np.arange(2), padding=Padding(pad_token_id=0))


def test_each_column_has_a_type_a_shape_and_a_role():
    assert features_of(table(LABELS, OWN, NUMBER).schema) == (
        Feature("id", pa.string(), False, Role.KEY),
        Feature("input_ids", pa.int32(), True, Role.IDS),
        Feature("n_tokens", pa.int32(), False, Role.FACT),
        Feature("topic", pa.int64(), False, Role.LABELS),
        Feature("scores", pa.float32(), False, Role.OWN),
        Feature("number", pa.int64(), False, Role.OWN),
    )


@pytest.mark.parametrize(
    "use",
    [
        lambda rows: rows.batch(np.arange(1)),
        lambda rows: rows.content(),
        lambda rows: rows.tensor_names,
        lambda rows: rows.label_names,
    ],
)
@pytest.mark.parametrize("name", ["topic", "attention_mask", "token_type_ids", "lenghts"])
def test_a_column_that_nothing_names_is_an_error_and_no_tensor(use, name):
    features = pa.table(COLUMNS).append_column(name, pa.array([[1], [0]], pa.list_(pa.int64(), 1)))
    assert not feature_schema.is_complete(features.schema)
    with raised(ConfigError, "unnamed-feature", column=name):
        use(rows_of(features))


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.list_(pa.string()), pa.struct([("a", pa.int64())]), pa.timestamp("s")]
)
def test_tensors_hold_numbers(kind):
    features = pa.table(COLUMNS).append_column(feature_schema.own(pa.field("mine", kind)), pa.nulls(2, kind))
    with raised(ConfigError, "column-not-numbers", column="mine"):
        rows_of(features).batch(np.arange(1))


def test_a_tensor_of_each_kind():
    batch = rows_of(table(LABELS, OWN, NUMBER)).batch(np.array([1, 0]))
    assert list(batch) == ["input_ids", "padding_mask", "segment_ids", "topic", "scores", "number"]
    assert batch["topic"].tolist() == [[0], [1]]
    assert batch["scores"].shape == (2, 3, 2)
    assert batch["number"].tolist() == [5, 4]


def through_parquet(features, folder):
    pq.write_table(features, folder / "features.parquet")
    return pq.read_table(folder / "features.parquet")


@pytest.mark.parametrize(
    "way",
    [
        lambda features, _: pickle.loads(pickle.dumps(features)),
        lambda features, _: joined([features.slice(0, 1), features.slice(1)]),
        lambda features, _: joined([features.select(["id", "input_ids", "n_tokens"]).slice(0, 0), features]),
        lambda features, _: features.take(pa.array([0, 1])),
        through_parquet,
    ],
)
def test_the_schema_travels_with_the_table(way, tmp_path):
    features = table(LABELS, OWN, NUMBER)
    again = way(features, tmp_path)
    assert features_of(again.schema) == features_of(features.schema)
    assert rows_of(again).content() == rows_of(features).content()


def test_schemas_of_the_stages_are_complete():
    labels = [pa.field("topic", pa.list_(pa.int64(), 1))]
    text = feature_schema.text_schema(labels, segments=True)
    token = feature_schema.token_schema(labels, segments=True)
    model = feature_schema.lm_schema(segments=True, packing=True, next_sentence=True)
    assert text.names == ["id", "input_ids", "segment_ids", "topic", "n_tokens", "clipped", "problem"]
    assert [one.name for one in features_of(token) if one.is_tensor] == [
        "input_ids",
        "segment_ids",
        "initial_mask",
        "topic",
    ]
    assert [one.name for one in features_of(model) if not one.is_tensor] == ["id", "n_tokens", "clipped", "problem"]
    assert feature_schema.text_schema([], segments=False).names == ["id", "input_ids", "n_tokens", "clipped", "problem"]

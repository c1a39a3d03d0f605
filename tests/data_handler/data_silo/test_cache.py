"""The feature cache: keyed by contents and settings, never trusted blindly."""

import json
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.artifacts import publish_folder
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.feature_schema import is_complete
from farm_ray.errors import ConfigError
from tests.data_handler.data_silo.small_files import lines, processor


def test_cache_is_keyed_by_contents_and_settings(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20))
    cache = tmp_path / "cache"

    def entries(**options):
        silo = DataSilo(processor(tokenizer, tmp_path, **options), batch_size=4, caching=True, cache_path=cache)
        return len(list(cache.iterdir())), silo

    made, first = entries()
    again, second = entries()
    assert made == again == 1
    assert first.data["train"].table.equals(second.data["train"].table)
    assert entries(max_seq_len=8)[0] == 2
    (tmp_path / "train.tsv").write_text(lines(21))
    assert entries()[0] == 3
    recipe = json.loads(next(cache.iterdir()).joinpath("recipe.json").read_text())
    assert recipe["file"] == "train.tsv"


def test_a_damaged_cache_entry_is_made_anew(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20))
    options = {"batch_size": 4, "caching": True, "cache_path": tmp_path / "cache"}
    DataSilo(processor(tokenizer, tmp_path), **options)
    file = next((tmp_path / "cache").glob("*/features.parquet"))
    file.write_bytes(file.read_bytes()[:-10])
    assert DataSilo(processor(tokenizer, tmp_path), **options).n_samples("train") == 18


def test_a_cache_entry_without_a_schema_is_made_again(tokenizer, tmp_path):
    """As versions wrote it whose columns did not say what they are."""
    (tmp_path / "train.tsv").write_text(lines(20))
    options = {"batch_size": 4, "caching": True, "cache_path": tmp_path / "cache"}
    DataSilo(processor(tokenizer, tmp_path), **options)
    file = next((tmp_path / "cache").glob("*/features.parquet"))
    table = pq.read_table(file)
    bare = pa.table({name: table.column(name) for name in table.column_names})
    publish_folder(file.parent, lambda aside: pq.write_table(bare, aside / file.name))
    silo = DataSilo(processor(tokenizer, tmp_path), **options)
    assert silo.tensor_names[-1] == "text_classification_label_ids"
    assert is_complete(pq.read_schema(file))


class Evil:
    def __reduce__(self):
        return open, ("evil_was_here", "w")


def test_a_cache_is_never_unpickled(tokenizer, tmp_path, monkeypatch):
    import ray.data  # noqa: F401 - it registers the type whose values are unpickled

    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.tsv").write_text(lines(20))
    options = {"batch_size": 4, "caching": True, "cache_path": tmp_path / "cache"}
    DataSilo(processor(tokenizer, tmp_path), **options)
    file = next((tmp_path / "cache").glob("*/features.parquet"))
    (file.parent / "checksums.json").unlink()
    table = pq.read_table(file)
    told = {b"ARROW:extension:name": b"ray.data.arrow_pickled_object", b"ARROW:extension:metadata": b""}
    ids = pa.array([pickle.dumps(Evil())] * len(table), pa.large_binary())
    place = table.schema.get_field_index("id")
    pq.write_table(table.set_column(place, pa.field("id", ids.type, metadata=told), ids), file)
    assert DataSilo(processor(tokenizer, tmp_path), **options).n_samples("train") == 18
    assert not (tmp_path / "evil_was_here").exists()


def test_a_cache_must_be_a_folder(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20))
    place = {"caching": True, "cache_path": "s3://key:secret@bucket/cache"}
    with pytest.raises(ConfigError, match=r"not s3://\*\*\*@bucket/cache; give another cache_path"):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4, **place)

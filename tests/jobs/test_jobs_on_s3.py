"""Data, features and predictions on an object store: the jobs against a moto server on loopback."""

import json

import boto3
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs

from jobs import infer, preprocess, train
from tests.stream_runs import write_documents


@pytest.fixture
def bucket(monkeypatch, data_dir):
    """An object store with the training data in s3://data/tweets; AWS_ENDPOINT_URL leads there."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="data")
    client.upload_file(str(data_dir / "train.tsv"), "data", "tweets/train.tsv")
    yield client
    server.stop()


def test_trained_from_s3_as_from_disk(bucket, call, train_flags, tmp_path):
    code, local, _ = call(train.main, train_flags)
    assert code == 0
    flags = [*train_flags, "--data-dir", "s3://data/tweets", "--output-dir", str(tmp_path / "remote")]
    code, remote, err = call(train.main, flags)
    assert code == 0, err
    assert remote["order_hash"] == local["order_hash"]
    assert remote["metrics"] == local["metrics"]


def test_features_to_s3(bucket, call, train_flags):
    flags = [flag for flag in train_flags if flag not in {"--num-workers", "0"}]
    code, told, err = call(preprocess.main, [*flags, "--in-process", "--output-dir", "s3://data/features"])
    assert code == 0, err
    system, _ = fs.FileSystem.from_uri("s3://data/features")
    features = pq.read_table("data/features/train.parquet", filesystem=system)
    assert features.num_rows == told["rows"]["train"]
    assert features.column("id")[0].as_py().startswith("train.tsv:")


def keys(bucket, prefix):
    found = bucket.list_objects_v2(Bucket="data", Prefix=prefix).get("Contents", [])
    return {entry["Key"].removeprefix(prefix) for entry in found} - {""}


def test_older_features_on_s3_go_before_new_ones_come(bucket, call, train_flags, monkeypatch):
    flags = [flag for flag in train_flags if flag not in {"--num-workers", "0"}]
    flags += ["--in-process", "--output-dir", "s3://data/features"]
    assert call(preprocess.main, flags)[0] == 0
    assert keys(bucket, "features/") == {"train.parquet", "dev.parquet", "recipe.json"}

    def broken(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", broken)
    assert call(preprocess.main, flags)[0] == 2
    assert keys(bucket, "features/") == set()


def test_a_missing_output_bucket_is_found_before_any_work(bucket, call, train_flags, monkeypatch):
    monkeypatch.setattr(
        "farm_ray.experiment.preprocess.make_silo_in_memory", lambda *_, **__: pytest.fail("data was read")
    )
    flags = [flag for flag in train_flags if flag not in {"--num-workers", "0"}]
    code, _, err = call(preprocess.main, [*flags, "--in-process", "--output-dir", "s3://nowhere/features"])
    assert code == 2
    assert "s3://nowhere/features: there is no bucket nowhere; give another --output-dir" in err


def test_predictions_to_s3(bucket, call, train_flags, tmp_path):
    assert call(train.main, train_flags)[0] == 0
    flags = [str(tmp_path / "out" / "model"), "s3://data/tweets/train.tsv", "s3://data/out/predictions.jsonl"]
    code, told, err = call(infer.main, [*flags, "--num-actors", "0"])
    assert code == 0, err
    lines = bucket.get_object(Bucket="data", Key="out/predictions.jsonl")["Body"].read().decode().splitlines()
    assert len(lines) == told["rows"] == 32


def test_a_missing_bucket_is_one_line(bucket, call, train_flags, tmp_path):
    code, _, err = call(train.main, [*train_flags, "--data-dir", "s3://nowhere/tweets"])
    assert code == 2
    assert "s3://nowhere/tweets/train.tsv: there is no such bucket" in err.splitlines()[-1]
    assert "secret" not in err
    assert not (tmp_path / "out").exists()


def test_a_language_model_streams_from_s3_as_from_disk(bucket, call, tiny_folder, tmp_path):
    """Same rows in every step and the same losses, wherever the text lies."""
    corpus = tmp_path / "corpus"
    for name in ("train.txt", "dev.txt"):
        write_documents(corpus / name, documents=60)
        bucket.upload_file(str(corpus / name), "data", f"corpus/{name}")
    settings = {
        "processor.max_seq_len": 24,
        "data.batch_size": 8,
        "data.window_bytes": 1000,
        "train.use_amp": "null",
        "train.checkpoint_every": "null",
    }
    flags = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    told = {}
    for place in (str(corpus), "s3://data/corpus"):
        output = tmp_path / ("remote" if place.startswith("s3") else "local")
        places = ["--data-dir", place, "--model", str(tiny_folder), "--output-dir", str(output)]
        code, told[output.name], err = call(
            train.main, ["pipelines.lm_finetuning", *places, "--num-workers", "0", *flags]
        )
        assert code == 0, err
        told[output.name]["losses"] = json.loads((output / "model" / "metrics.json").read_text())["losses"]
    for name in ("order_hash", "losses", "metrics", "rows"):
        assert told["remote"][name] == told["local"][name]

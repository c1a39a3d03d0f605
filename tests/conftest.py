"""Fixtures that several folders share."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def ray_cluster():
    """One local Ray for all cluster tests of a session; most of a test's time would be its start."""
    from farm_ray import cluster

    cluster.connect()
    yield
    cluster.disconnect()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A folder with a tiny BERT of fresh weights and its tokenizer, as transformers saves them."""
    from tests.modeling.tiny_models import save_tiny_model
    from tests.tiny import tiny_tokenizer

    folder = tmp_path_factory.mktemp("tiny-bert")
    save_tiny_model("bert", folder, vocab_size=len(tiny_tokenizer(folder)))
    return folder


@pytest.fixture(scope="session")
def moto_port():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def bucket(moto_port, monkeypatch):
    """An object store with the bucket `data`, and a writer into it: `bucket("set/a.tsv", b"...")`."""
    from pyarrow import fs

    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{moto_port}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    system, _ = fs.FileSystem.from_uri("s3://data?allow_bucket_creation=true&allow_bucket_deletion=true")
    system.create_dir("data")

    def write(key: str, content: bytes) -> None:
        with system.open_output_stream(f"data/{key}", compression=None) as file:
            file.write(content)

    yield write
    system.delete_dir_contents("data")

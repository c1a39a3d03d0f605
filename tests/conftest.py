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

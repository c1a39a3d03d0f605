import pytest

from farm_ray.data_handler.processor import TextClassificationProcessor
from tests.tiny import tiny_tokenizer

LABELS = ["OTHER", "OFFENSE"]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def make(tokenizer):
    """A text classification processor with changed settings."""

    def make(kind=TextClassificationProcessor, **settings):
        usual = {"tokenizer": tokenizer, "max_seq_len": 8, "data_dir": None, "label_list": LABELS, "metric": "acc"}
        return kind(**(usual | settings))

    return make

import pytest

from farm_ray.data_handler.processor import TextClassificationProcessor
from tests.data_handler.processor.user_processors import LineProcessor
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


@pytest.fixture
def lines(tokenizer, tmp_path):
    (tmp_path / "train.txt").write_text("[glad] a good day\n[sad] a bad day\n[??] hm\n")
    processor = LineProcessor(tokenizer, 8, tmp_path)
    processor.add_task("mood", "acc", ["sad", "glad"], task_type="classification")
    return processor

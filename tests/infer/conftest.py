"""One small saved model for all tests of this folder."""

import pytest

from farm_ray.infer import Inferencer
from tests.infer.models import make_inferencer
from tests.infer.small_inputs import texts, write_tsv


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory):
    """A saved model with one head."""
    saved = tmp_path_factory.mktemp("inference") / "model"
    make_inferencer(tmp_path_factory.mktemp("encoder")).save(saved)
    return saved


@pytest.fixture
def inferencer(model_dir):
    """The saved model, loaded."""
    return Inferencer.load(model_dir, batch_size=3)


@pytest.fixture
def tsv(tmp_path):
    """A file of 12 rows."""
    return write_tsv(tmp_path / "in.tsv", [f"{text}\tgood" for text in texts(12)])

"""One small experiment for all tests of this folder."""

import pytest

from farm_ray.configuration import replace
from pipelines.text_classification import text_classification
from tests.experiment.small_runs import ROWS, write


@pytest.fixture
def experiment(tiny_folder, tmp_path):
    write(tmp_path, ROWS)
    made = text_classification()
    settings = {
        "processor.data_dir": str(tmp_path / "data"),
        "processor.label_list": ["good", "bad"],
        "processor.max_seq_len": 16,
        "model.language_model": str(tiny_folder),
        "train.epochs": 2,
        "data.batch_size": 8,
    }
    for name, value in settings.items():
        made = replace(made, name, value)
    return made

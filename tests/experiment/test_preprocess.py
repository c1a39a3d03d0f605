"""Features that are made and stored without training."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.experiment.config import (
    BertStyleLMProcessorConfig,
    DataConfig,
    Experiment,
    ModelConfig,
    TrainConfig,
)
from farm_ray.experiment.preprocess import preprocess_experiment
from tests.raised import raised
from tests.stream_runs import write_documents


@pytest.fixture
def corpus(tmp_path):
    write_documents(tmp_path / "corpus" / "train.txt", documents=80)
    write_documents(tmp_path / "corpus" / "dev.txt", documents=15)
    return tmp_path / "corpus"


def experiment(corpus, *, streaming=True, model=None, **processor):
    return Experiment(
        name="lm",
        processor=BertStyleLMProcessorConfig(max_seq_len=24, data_dir=str(corpus), test_filename=None, **processor),
        data=DataConfig(batch_size=8, streaming=streaming, window_bytes=1500, lanes=2 if streaming else None),
        model=model or ModelConfig(),
        train=TrainConfig(epochs=2, learning_rate=1e-3, evaluate_every=0, use_amp=None),
    )


def test_features_of_a_stream_are_not_stored(tiny_folder, corpus, tmp_path):
    made = experiment(corpus, model=ModelConfig(language_model=str(tiny_folder)))
    with raised(ConfigError, "stream-not-in-memory", option="data.streaming"):
        preprocess_experiment(made, output_dir=str(tmp_path / "out"), in_process=True)

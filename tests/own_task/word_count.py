"""The pipeline: python -m jobs.train word_count --data-dir DIR --model MODEL."""

from typing import Literal

import word_count_head  # noqa: F401 - makes the head known
from word_count_task import WORD_COUNT

from farm_ray.experiment import DataConfig, Experiment, ModelConfig, ProcessorConfig, TrainConfig


class WordCountProcessorConfig(ProcessorConfig):
    """What `WordCountProcessor` takes."""

    kind: Literal["WordCountProcessor"] = "WordCountProcessor"
    specs = (WORD_COUNT,)
    metric: tuple[str, ...] = ("off_by",)
    train_filename: str = "train.count"
    test_filename: str = "test.count"


def word_count() -> Experiment:
    """Counts words."""
    return Experiment(
        name="word_count",
        processor=WordCountProcessorConfig(max_seq_len=32),
        data=DataConfig(batch_size=16),
        model=ModelConfig(dropout=0.0, embeds_dropout_prob=0.0),
        train=TrainConfig(epochs=30, learning_rate=1e-3, use_amp=None, evaluate_every=0),
    )

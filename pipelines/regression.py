"""A number for a text, or for a pair of texts.

    python -m jobs.train pipelines.regression --data-dir DIR --model MODEL
    python -m jobs.train pipelines.regression:text_pair_regression --data-dir DIR --model MODEL \
        --set processor.label_column_name=score

DIR holds train.tsv with the columns text (and text_b) and label, and test.tsv if there is one. Mean and scale of the
numbers are measured on the training rows; predictions and metrics are in the units of the file.
"""

from __future__ import annotations

from farm_ray.experiment.config import (
    DataConfig,
    Experiment,
    RegressionProcessorConfig,
    TextPairRegressionProcessorConfig,
    TrainConfig,
)

_METRICS = ("mse", "pear_spear")


def regression() -> Experiment:
    """One text per row; settings that are a good start for some thousand rows."""
    return Experiment(
        name="regression",
        processor=RegressionProcessorConfig(max_seq_len=128, metric=_METRICS, quote_char='"'),
        data=DataConfig(batch_size=32),
        train=TrainConfig(epochs=3, learning_rate=5e-5, evaluate_every=0),
    )


def text_pair_regression() -> Experiment:
    """Two texts per row, for example how alike they are."""
    processor = TextPairRegressionProcessorConfig(max_seq_len=128, metric=_METRICS, quote_char='"')
    return regression().model_copy(update={"name": "text_pair_regression", "processor": processor})

"""Pairs of texts with one label: entailment, paraphrases, question and answer.

    python -m jobs.train pipelines.text_pair --data-dir DIR --model MODEL

DIR holds train.tsv with the columns text, text_b and label, and test.tsv if there is one. For pairs with a number there
is pipelines.regression:text_pair_regression.
"""

from __future__ import annotations

from farm_ray.experiment.config import DataConfig, Experiment, TextPairClassificationProcessorConfig, TrainConfig


def text_pair() -> Experiment:
    """Settings that are a good start for some thousand pairs."""
    return Experiment(
        name="text_pair",
        processor=TextPairClassificationProcessorConfig(
            max_seq_len=128, metric=("acc", "f1_macro"), quote_char='"', dev_stratification=True
        ),
        data=DataConfig(batch_size=32),
        train=TrainConfig(epochs=3, learning_rate=5e-5, evaluate_every=0),
    )

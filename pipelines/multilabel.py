"""Texts with any number of labels each, joined by commas in one column.

    python -m jobs.train pipelines.multilabel --data-dir DIR --model MODEL --set 'processor.label_list=[toxic, insult]'

DIR holds train.tsv with the columns text and label; an empty cell means that no label applies. The same file names,
formats and options as pipelines.text_classification.
"""

from __future__ import annotations

from farm_ray.experiment.config import DataConfig, Experiment, TextClassificationProcessorConfig, TrainConfig


def multilabel() -> Experiment:
    """Settings that are a good start for some thousand rows.

    Where most labels are absent from most rows, a fresh head at the encoder's learning rate predicts none of them for
    epochs; a rate of its own makes it learn.
    """
    return Experiment(
        name="multilabel",
        processor=TextClassificationProcessorConfig(
            max_seq_len=128, multilabel=True, metric=("f1_micro", "f1_macro"), quote_char='"'
        ),
        data=DataConfig(batch_size=32),
        train=TrainConfig(
            epochs=5, learning_rate=5e-5, optimizer_opts={"name": "AdamW", "head_lr": 1e-3}, evaluate_every=0
        ),
    )

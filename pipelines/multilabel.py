"""Texts with any number of labels each: one column with names joined by commas, lists, or a 0 or 1 for each label.

    python -m jobs.train pipelines.multilabel --data-dir DIR --model MODEL

DIR holds train.tsv with the columns text and label; an empty cell means that no label applies. Zeros and ones get their
names by --set 'processor.label_list=[toxic, insult]'. The same file names,
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

"""Your own texts and labels: one text column, one label column.

    python -m jobs.train pipelines.text_classification --data-dir DIR --model MODEL

DIR holds train.tsv with the columns text and label, and test.tsv if there is one; a tenth of the training rows becomes
the dev set. Other names, columns and formats: --set processor.train_filename=reviews.csv, processor.delimiter=",",
processor.text_column_name=review and so on. The labels are those of the training data, or those of
processor.label_list=[positive,negative].
"""

from __future__ import annotations

from farm_ray.experiment.config import (
    DataConfig,
    Experiment,
    TextClassificationProcessorConfig,
    TrainConfig,
)


def text_classification() -> Experiment:
    """Settings that are a good start for some thousand rows."""
    return Experiment(
        name="text_classification",
        processor=TextClassificationProcessorConfig(
            max_seq_len=128, metric=("acc", "f1_macro"), quote_char='"', dev_stratification=True
        ),
        data=DataConfig(batch_size=32),
        train=TrainConfig(epochs=3, learning_rate=5e-5),
    )

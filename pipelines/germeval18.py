"""GermEval 2018, offensive language in German tweets: coarse and fine labels as two tasks with a head each.

    python -m jobs.train pipelines.germeval18 --data-dir DIR [--model MODEL]

DIR holds train.tsv and test.tsv with the columns text, coarse_label and fine_label.
"""

from __future__ import annotations

from farm_ray.experiment.config import (
    DataConfig,
    Experiment,
    ModelConfig,
    TaskConfig,
    TextClassificationProcessorConfig,
    TrainConfig,
)

_COARSE = TaskConfig(
    name="coarse", label_list=("OTHER", "OFFENSE"), metric=("f1_macro",), label_column_name="coarse_label"
)
_FINE = TaskConfig(
    name="fine",
    label_list=("OTHER", "ABUSE", "INSULT", "PROFANITY"),
    metric=("f1_macro",),
    label_column_name="fine_label",
)


def germeval18() -> Experiment:
    """FARM's classic, both label columns at once."""
    return Experiment(
        name="germeval18",
        processor=TextClassificationProcessorConfig(max_seq_len=128, tasks=(_COARSE, _FINE), quote_char=None),
        data=DataConfig(batch_size=32),
        model=ModelConfig(language_model="bert-base-german-cased"),
        train=TrainConfig(epochs=2, learning_rate=2e-5),
    )

"""Named entities: one word and its tag a line, an empty line between sentences.

    python -m jobs.train pipelines.ner --data-dir DIR --model MODEL
    python -m jobs.train pipelines.ner:wnut17 --data-dir DIR --model MODEL

DIR holds train.txt and dev.txt, and test.txt if there is one (else --set processor.test_filename=null). The tags are
those of the training data, or those of processor.label_list=[O,B-PER,I-PER]. Texts of any length: long ones are read in
windows, and every word gets its tag once.
"""

from __future__ import annotations

from farm_ray.experiment.config import DataConfig, Experiment, NERProcessorConfig, TrainConfig

_WNUT17_TYPES = ("corporation", "creative-work", "group", "location", "person", "product")
WNUT17_TAGS = ("O", *(f"{place}-{kind}" for kind in _WNUT17_TYPES for place in "BI"))


def ner() -> Experiment:
    """Settings that are a good start for some thousand sentences."""
    return Experiment(
        name="ner",
        processor=NERProcessorConfig(max_seq_len=128, metric=("seq_f1",)),
        data=DataConfig(batch_size=32),
        train=TrainConfig(epochs=3, learning_rate=5e-5, evaluate_every=0),
    )


def wnut17() -> Experiment:
    """WNUT 2017: six types of entities in noisy English."""
    processor = NERProcessorConfig(max_seq_len=128, label_list=WNUT17_TAGS, metric=("seq_f1",), test_filename=None)
    return ner().model_copy(update={"name": "wnut17", "processor": processor})

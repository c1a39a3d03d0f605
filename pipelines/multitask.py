"""Two tasks of different kinds on one encoder: a tag for every word, and a label for the whole message.

    python -m jobs.train pipelines.multitask --data-dir DIR --model MODEL

DIR holds train.jsonl and dev.jsonl with rows such as {"text": ["Anna", "laughs"], "ner_label": ["B-person", "O"],
"mentions": "something"}. Where it holds train.txt and dev.txt with one word and its tag a line instead (WNUT 2017), the
JSON lines are made of these: a message mentions something when one of its words has a tag other than O.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from farm_ray.experiment.config import DataConfig, Experiment, NERProcessorConfig, TaskConfig, TrainConfig
from pipelines.ner import WNUT17_TAGS

if TYPE_CHECKING:
    from pathlib import Path

_MENTIONS = TaskConfig(
    name="mentions",
    label_list=("nothing", "something"),
    metric=("acc", "f1_macro"),
    label_column_name="mentions",
    task_type="classification",
)


def multitask() -> Experiment:
    """The losses of both heads are added up for every message."""
    return Experiment(
        name="multitask",
        prepare=with_mentions,
        processor=NERProcessorConfig(
            max_seq_len=128,
            label_list=WNUT17_TAGS,
            metric=("seq_f1",),
            tasks=(_MENTIONS,),
            train_filename="train.jsonl",
            dev_filename="dev.jsonl",
            test_filename=None,
        ),
        data=DataConfig(batch_size=32),
        train=TrainConfig(epochs=3, learning_rate=5e-5, evaluate_every=0),
    )


def with_mentions(data_dir: Path) -> None:
    """Writes `train.jsonl` and `dev.jsonl` beside `train.txt` and `dev.txt`."""
    from farm_ray.data_handler.utils import read_ner_file

    for name in ("train", "dev"):
        rows = read_ner_file(data_dir / f"{name}.txt")
        with (data_dir / f"{name}.jsonl").open("w", encoding="utf-8") as lines:
            for row in rows:
                mentions = "something" if set(row["ner_label"]) - {"O"} else "nothing"
                lines.write(json.dumps({**row, "mentions": mentions}, ensure_ascii=False) + "\n")

"""Losses, order and dev results of short trainings, one for each kind of task, as text."""

import json
import tempfile
from pathlib import Path

from farm_ray.experiment.config import (
    BertStyleLMProcessorConfig,
    DataConfig,
    Experiment,
    ModelConfig,
    NERProcessorConfig,
    RegressionProcessorConfig,
    TextClassificationProcessorConfig,
    TextPairClassificationProcessorConfig,
    TrainConfig,
)
from farm_ray.experiment.run import run_experiment
from tests.golden.golden import check
from tests.modeling.tiny_models import save_tiny_model
from tests.tiny import tiny_tokenizer

WORDS = ["a", "good", "film", "bad", "very", "nice", "day", "dull", "the", "fool"]
ROWS = 48


def text(number):
    return " ".join(WORDS[(number * place) % len(WORDS)] for place in range(1, 3 + number % 7))


def rows(*labels):
    """A table of texts with a label each, which follows from the row's number."""
    lines = [f"{text(n)}\t{text(n + 3)}\t{labels[n % len(labels)]}" for n in range(ROWS)]
    return "\n".join(["text\ttext_b\tlabel", *lines]) + "\n"


def tagged():
    """One word and its tag a line."""
    tags = [["O", "B-X", "I-X"][(n * 7 + place) % 3] for n in range(ROWS) for place in range(9)]
    taken = iter(tags)
    return "\n\n".join("\n".join(f"{word}\t{next(taken)}" for word in text(n).split()) for n in range(ROWS)) + "\n"


def documents():
    """One sentence a line, an empty line between documents."""
    return "\n\n".join("\n".join(text(n + place) for place in range(3)) for n in range(ROWS // 3)) + "\n"


COMMON = {"max_seq_len": 16, "train_filename": "train.txt", "test_filename": None}
SPLIT = {**COMMON, "dev_split": 0.25}
FILES = {
    "tables": rows("bad", "good", "so so"),
    "sets": rows("p", "p,q", "", "q"),
    "numbers": rows("1", "2.5", "4", "0"),
    "tagged": tagged(),
    "documents": documents(),
}
KINDS = {
    "one label": ("tables", TextClassificationProcessorConfig(**SPLIT, metric=("acc", "f1_macro"))),
    "pairs": ("tables", TextPairClassificationProcessorConfig(**SPLIT)),
    "several labels": ("sets", TextClassificationProcessorConfig(**SPLIT, multilabel=True, metric=("f1_micro",))),
    "numbers": ("numbers", RegressionProcessorConfig(**SPLIT)),
    "tags": ("tagged", NERProcessorConfig(**SPLIT, dev_filename=None, metric=("seq_f1", "acc"))),
    "language model": ("documents", BertStyleLMProcessorConfig(**SPLIT, dev_filename=None)),
}


def shown(name, result):
    """Order and losses, to the digits that are alike on all machines."""
    yield f"{name}: {result['steps']} steps of the order {result['order_hash']}"
    yield json.dumps(result["metrics"]["dev"], default=str)


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return float(f"{value:.3g}") if isinstance(value, float) else value


def trainings():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        save_tiny_model("bert", root / "bert")
        tiny_tokenizer(root / "bert")
        for file, content in FILES.items():
            (root / file).mkdir()
            (root / file / "train.txt").write_text(content, encoding="utf-8")
        for name, (file, processor) in KINDS.items():
            experiment = Experiment(
                name="golden",
                processor=processor.model_copy(update={"data_dir": str(root / file)}),
                data=DataConfig(batch_size=8, max_processes=1),
                model=ModelConfig(language_model=str(root / "bert"), dropout=0.1),
                train=TrainConfig(epochs=2, learning_rate=1e-3, use_amp=None, checkpoint_every_seconds=None),
            )
            result = run_experiment(experiment, output_dir=str(root / name), num_workers=0).as_dict()
            yield from shown(name, {**result, "metrics": rounded(result["metrics"])})


def test_trainings_are_as_written_down():
    check("training", trainings())

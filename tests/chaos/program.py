"""A small training run as a program of its own, to be killed from outside.

    python -m tests.chaos.program --model DIR --data DIR --out DIR --kind memory --workers 2

Prints `{"step": n}` as it goes and at last one line with what the run came to; its weights lie in OUT/weights.pt.
Exit code 75 says that a signal stopped it with a checkpoint.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from farm_ray import cluster
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.train import on_ray
from tests.chaos.slow import SlowTexts
from tests.runs import LABELS, small_trainer
from tests.stream_runs import text_stream
from tests.tiny import tiny_tokenizer


def main():
    """Trains, or goes on from the newest checkpoint."""
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("--model", type=Path, required=True)
    add("--data", type=Path, required=True)
    add("--out", type=Path, required=True)
    add("--kind", choices=("memory", "stream"), required=True)
    add("--workers", required=True)
    add("--every", type=int, default=10)
    add("--epochs", type=int, default=2)
    add("--dropout", type=float, default=0.1)
    add("--hang-timeout", type=float, default=60)
    add("--root", help="of the checkpoints")
    add("--slow-data", action="store_true", help="data tasks take seconds")
    add("--resize-seconds", type=float, help="elastic workers may grow so soon")
    arguments = parser.parse_args()
    least, _, most = arguments.workers.partition(":")
    workers = (int(least), int(most)) if most else int(least)
    if arguments.resize_seconds is not None:
        on_ray._SECONDS_BETWEEN_RESIZES = arguments.resize_seconds
    if workers:
        cluster.connect()
    trainer = small_trainer(
        arguments.model,
        silo=make_silo(arguments, on_ray=bool(workers)),
        dropout=arguments.dropout,
        epochs=arguments.epochs,
        num_workers=workers,
        checkpoint_every=arguments.every,
        checkpoint_root_dir=arguments.root or arguments.out / "checkpoints",
        progress=tell,
        max_restarts=5,
        hang_timeout=arguments.hang_timeout,
        grad_acc_steps=1,
        # Small enough for the rounding of sums in another order to stay small, too.
        learning_rate=1e-4,
    )
    model, result = trainer.train(), trainer.result
    torch.save(model.state_dict(), arguments.out / "weights.pt")
    told = ("order_hash", "rows", "rows_repeated", "steps", "restarts", "preempted", "resumed_from", "seconds")
    print(json.dumps({name: getattr(result, name) for name in told}), flush=True)
    cluster.disconnect()
    return 75 if result.preempted else 0


def make_silo(arguments, *, on_ray):
    """All rows in memory, or streamed."""
    if arguments.kind == "stream":
        kind = SlowTexts if arguments.slow_data else TextClassificationProcessor
        return text_stream(arguments.model, arguments.data, kind=kind, window_bytes=2000, lanes=4)
    processor = TextClassificationProcessor(
        tokenizer=tiny_tokenizer(arguments.model),
        max_seq_len=16,
        data_dir=arguments.data,
        label_list=LABELS,
        metric="acc",
        train_filename="*.tsv",
        test_filename=None,
        dev_split=0.0,
    )
    return DataSilo(processor, batch_size=8, **({} if on_ray else {"max_processes": 1}))


def tell(stage, done, _total, _note):
    """A line per step that is heard of."""
    if stage == "train":
        print(json.dumps({"step": done}), flush=True)


if __name__ == "__main__":
    sys.exit(main())

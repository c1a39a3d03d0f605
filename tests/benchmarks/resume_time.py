"""Seconds from the start of a stopped run over a stream to its next step, early and late in an epoch.

    python -m tests.benchmarks.resume_time --corpus DIR [--workers 0|1] [--shares 0.1 0.5 0.9] [--rounds 3]

Training to the middle of a large epoch would take hours. So the checkpoint is one of the first steps, with its lanes put
forward to a share of their ranges, as a run would have left them: what is read on a resume is the same. Seconds count
from `Trainer.train()` on, on Ray with the start of its workers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import statistics
import tempfile
import threading
import time
from pathlib import Path

from farm_ray import cluster
from farm_ray.data_handler.data_silo import StreamingDataSilo
from farm_ray.data_handler.processor import BertStyleLMProcessor
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.train import Trainer

_STEPS_BEFORE = 3


def main() -> None:
    """Makes the checkpoint, resumes from each place and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with train.txt")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.5, 0.9])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.workers:
        cluster.connect()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        seconds_to_step(arguments, root / "first", steps=_STEPS_BEFORE, every=1)
        made = max((root / "first").glob("epoch_*"), key=lambda path: path.stat().st_mtime)
        for share in arguments.shares:
            taken = []
            for number in range(arguments.rounds):
                place = root / f"{share}-{number}"
                put_forward(made, place / made.name, share)
                taken.append(seconds_to_step(arguments, place, steps=1, every=None))
            told = ", ".join(f"{seconds:.2f}" for seconds in taken)
            print(f"{share:.0%} of an epoch: {told}; median {statistics.median(taken):.2f} s", flush=True)
    cluster.disconnect()


def put_forward(checkpoint: Path, target: Path, share: float) -> None:
    """A copy of the checkpoint whose lanes stand at this share of their ranges, with checksums that fit."""
    shutil.copytree(checkpoint, target)
    file = target / "progress.json"
    record = json.loads(file.read_text())
    ranges, lanes = (int(word) for word in record["identity"]["training data"].split() if word.isdigit())
    step = record["position"]["step"]
    record["position"]["lanes"] = [{"place": int(share * ranges / lanes), "window": 0, "began": step}] * lanes
    file.write_text(json.dumps(record))
    sums = json.loads((target / "checksums.json").read_text())
    sums["progress.json"] = [file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()]
    (target / "checksums.json").write_text(json.dumps(sums))


def seconds_to_step(arguments: argparse.Namespace, root: Path, *, steps: int, every: int | None) -> float:
    """Trains for so many steps and a little more; seconds until the first of them was heard of."""
    from pipelines.quickstart import model_folder

    tokenizer = Tokenizer.load(model_folder())
    processor = BertStyleLMProcessor(tokenizer, 128, arguments.corpus, dev_filename=None, test_filename=None)
    silo = StreamingDataSilo(processor, 32)
    language_model = LanguageModel.from_scratch(
        "bert", len(tokenizer), tokenizer=tokenizer, hidden_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    heads = [BertLMHead.for_language_model(language_model), NextSentenceHead(num_labels=2)]
    model = AdaptiveModel(language_model, heads, 0.0, [head.ph_output_type for head in heads], "cpu")
    heard: list[float] = []

    def progress(stage: str, done: int, _total: int | None, _note: str) -> None:
        if stage == "train" and done:
            if not heard:
                heard.append(time.perf_counter())
            if done >= steps and len(heard) == 1:
                heard.append(0.0)
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()

    trainer = Trainer(
        model=model,
        data_silo=silo,
        num_workers=arguments.workers,
        evaluate_every=0,
        progress=progress,
        checkpoint_every=every,
        checkpoint_root_dir=root,
    )
    started = time.perf_counter()
    trainer.train()
    return heard[0] - started


if __name__ == "__main__":
    main()

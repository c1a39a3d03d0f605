"""Streaming a corpus: time to the first batch, memory, and waiting for data, for a small corpus and a large one.

    python -m tests.benchmarks.streaming --text brown/train.txt --megabytes 100 1000 --workers 1

The corpora are made from the text by repetition with changed words and kept in `--folder`. Each is trained on for
`--seconds` with a small BERT by the usual Trainer, in a process of its own. Memory is the peak of what a kind of
process has for itself (USS), and of Ray's object store, looked at twice a second.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

_MEGABYTE = 1_000_000
_CHANGED_SHARE = 0.1
_BETWEEN_LOOKS = 0.5


def main() -> None:
    """Makes the corpora, runs each and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True, help="documents to repeat")
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60, help="training per corpus")
    parser.add_argument("--hidden", type=int, default=64, help="width of the model, of 2 layers")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "farm_ray-streaming")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(run(arguments.one, arguments)))
        return
    for megabytes in arguments.megabytes:
        corpus = make_corpus(arguments.text, arguments.folder / f"{megabytes}mb", megabytes * _MEGABYTE)
        command = [sys.executable, "-m", "tests.benchmarks.streaming", *sys.argv[1:], "--one", str(corpus)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(f"{megabytes} MB: {done.stdout.splitlines()[-1]}", flush=True)


def make_corpus(text: Path, folder: Path, size: int) -> Path:
    """Repeats the documents to about `size` bytes; in every repetition a tenth of the words change their places."""
    path = folder / "train.txt"
    if path.is_file() and path.stat().st_size >= size:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    lines = text.read_text(encoding="utf-8").split("\n")
    ends = np.cumsum([len(line.split(" ")) for line in lines])
    words = np.array([word for line in lines for word in line.split(" ")], dtype=object)
    inner = np.flatnonzero(words != "")
    generator = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as out:
        while out.tell() < size:
            changed = words.copy()
            places = generator.choice(inner, int(len(inner) * _CHANGED_SHARE), replace=False)
            changed[places] = words[generator.permutation(places)]
            parts = np.split(changed, ends[:-1])
            out.write("\n".join(" ".join(part) for part in parts) + "\n\n")
    return folder


def run(corpus: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Trains for a while; seconds until the first step, shares and peaks."""
    from farm_ray import cluster
    from farm_ray.data_handler.data_silo import StreamingDataSilo
    from farm_ray.data_handler.processor import BertStyleLMProcessor
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead
    from farm_ray.modeling.tokenization import Tokenizer
    from farm_ray.train import Trainer
    from pipelines.quickstart import model_folder

    tokenizer = Tokenizer.load(model_folder())
    if arguments.workers:
        cluster.connect()
    ready = time.perf_counter()
    memory = Memory(os.getpid(), on_ray=arguments.workers > 0)
    processor = BertStyleLMProcessor(tokenizer, 128, corpus, dev_filename=None, test_filename=None)
    silo = StreamingDataSilo(processor, arguments.batch_size)
    language_model = LanguageModel.from_scratch(
        "bert",
        len(tokenizer),
        tokenizer=tokenizer,
        hidden_size=arguments.hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=4 * arguments.hidden,
    )
    heads = [BertLMHead.for_language_model(language_model), NextSentenceHead(num_labels=2)]
    model = AdaptiveModel(language_model, heads, 0.0, [head.ph_output_type for head in heads], "cpu")
    heard = {"first": 0.0}

    def progress(stage: str, done: int, _total: int | None, _note: str) -> None:
        if stage == "train" and done and not heard["first"]:
            heard["first"] = time.perf_counter() - ready
            threading.Timer(arguments.seconds, os.kill, (os.getpid(), signal.SIGTERM)).start()

    trainer = Trainer(
        model=model, data_silo=silo, num_workers=arguments.workers, evaluate_every=0, progress=progress, seed=1
    )
    trainer.train()
    result = trainer.result
    facts = {
        "first_step_s": heard["first"],
        "steps": result.steps,
        "rows_per_s": result.rows_per_second,
        "first_batch_s": result.seconds["first_batch"],
        "waiting_share": result.seconds["data"] / (result.seconds["train"] - result.seconds["first_batch"]),
    }
    return {name: round(value, 3) for name, value in {**facts, **memory.peaks()}.items()}


class Memory:
    """Peaks of memory in MB: of this process, of the training workers, of the data tasks, of the object store."""

    def __init__(self, pid: int, *, on_ray: bool) -> None:
        self._pid, self._on_ray = pid, on_ray
        self._peaks: dict[str, float] = {}
        threading.Thread(target=self._watch, daemon=True).start()

    def peaks(self) -> dict[str, float]:
        """What was seen so far."""
        return {f"{kind}_mb": peak / _MEGABYTE for kind, peak in sorted(self._peaks.items())}

    def _watch(self) -> None:
        import psutil

        while True:
            seen = {"driver": psutil.Process(self._pid).memory_full_info().uss}
            for process in psutil.Process(self._pid).children(recursive=True):
                try:
                    kind = _kind_of(process)
                    if kind is not None:
                        seen[kind] = seen.get(kind, 0) + process.memory_full_info().uss
                except psutil.Error:
                    continue
            if self._on_ray:
                seen["object_store"] = _object_store_bytes()
            for kind, size in seen.items():
                self._peaks[kind] = max(self._peaks.get(kind, 0), size)
            time.sleep(_BETWEEN_LOOKS)


def _kind_of(process: object) -> str | None:
    title = " ".join(process.cmdline())  # type: ignore[attr-defined]
    if "TrainWorker" in title:
        return "train_workers"
    return "other_ray_workers" if title.startswith("ray::") else None


def _object_store_bytes() -> float:
    import ray

    try:
        there, free = ray.cluster_resources(), ray.available_resources()
    except Exception:
        return 0.0
    return there.get("object_store_memory", 0.0) - free.get("object_store_memory", 0.0)


if __name__ == "__main__":
    main()

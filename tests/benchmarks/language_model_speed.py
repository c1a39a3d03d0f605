"""Rows per second from text to masked batches: farm_ray, the bare tokenizer and `datasets`, two processes each, in turn.

    pip install datasets
    python -m tests.benchmarks.language_model_speed --data FILE.txt [--megabytes 20] [--rounds 3]

The bare tokenizer encodes the same lines, 1,000 at a time; a row of it are 128 tokens. farm_ray reads windows of a
megabyte, makes next-sentence pairs, masks whole words and pads batches of 32. `datasets` streams the same lines with
transformers' own collator: tokens joined to rows of 128 as in its run_mlm.py, no pairs, masks drawn token by token.
Each process has one thread of the tokenizer. Wall time from the processes' start line to the last one's end.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing as mp
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

MAX_SEQ_LEN, BATCH, PROCESSES = 128, 32, 2
CONTENDERS = ("bare tokenizer", "farm_ray", "datasets")


def main() -> None:
    """Prints rows per second of each round and the median ratios to the bare tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="documents, repeated to the size")
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    contenders = CONTENDERS if importlib.util.find_spec("datasets") else CONTENDERS[:-1]
    if contenders != CONTENDERS:
        print("datasets is not installed (pip install datasets): left out", flush=True)
    os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    raw = args.data.read_bytes().strip() + b"\n\n"
    with tempfile.TemporaryDirectory() as folder:
        for part in range(PROCESSES):
            text = raw * max(1, round(args.megabytes * 1e6 / PROCESSES / len(raw)))
            (Path(folder) / f"{part}.txt").write_bytes(text)
        ratios: dict[str, list[float]] = {name: [] for name in contenders}
        for number in range(args.rounds):
            rates = {name: _race(name, folder) for name in contenders}
            for name, rate in rates.items():
                ratios[name].append(rate / rates["bare tokenizer"])
            told = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
            print(f"round {number + 1}, rows of {MAX_SEQ_LEN} tokens a second: {told}", flush=True)
    print("median ratio: " + ", ".join(f"{name} {statistics.median(found):.2f}" for name, found in ratios.items()))


def _race(name: str, folder: str) -> float:
    """Rows per second of all processes together; a row are as many tokens as it may hold."""
    context = mp.get_context("spawn")
    ready, tokens = context.Barrier(PROCESSES + 1), context.Queue()
    runners = [
        context.Process(target=_run, args=(name, f"{folder}/{part}.txt", ready, tokens)) for part in range(PROCESSES)
    ]
    for runner in runners:
        runner.start()
    ready.wait()
    started = time.perf_counter()
    total = sum(tokens.get() for _ in runners)
    seconds = time.perf_counter() - started
    for runner in runners:
        runner.join()
    return total / MAX_SEQ_LEN / seconds


def _run(name: str, file: str, ready: Any, tokens: Any) -> None:
    from farm_ray.modeling.tokenization import Tokenizer
    from pipelines.quickstart import model_folder

    make = {"bare tokenizer": _bare, "farm_ray": _ours, "datasets": _datasets}[name]
    work = make(file, Tokenizer.load(model_folder()))
    ready.wait()
    tokens.put(sum(work))


def _bare(file: str, tokenizer: Any) -> Any:
    from farm_ray.modeling.tokenization.backend import private_copy

    lines = [line for line in Path(file).read_text(encoding="utf-8").split("\n") if line]
    copy = private_copy(tokenizer)
    starts = range(0, len(lines), 1000)
    return (len(one.ids) for start in starts for one in copy.encode_batch_fast(lines[start : start + 1000]))


def _ours(file: str, tokenizer: Any) -> Any:
    import numpy as np
    import pyarrow as pa
    import torch

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.processor import BertStyleLMProcessor

    pa.set_cpu_count(1)
    torch.set_num_threads(1)
    processor = BertStyleLMProcessor(tokenizer, MAX_SEQ_LEN, None).for_pass(42, 0)
    padding, masking = processor.padding(), processor.masking(42)
    for part in processor.splits(file, 1 << 20):
        for documents in processor.read(part):
            features = processor.featurize(documents)
            every = np.arange(features.num_rows)
            rows = FeatureSet(table=features, rows=every, padding=padding, masking=masking)
            for start in range(0, len(every), BATCH):
                yield int(rows.batch(every[start : start + BATCH])["padding_mask"].sum())


def _datasets(file: str, tokenizer: Any) -> Any:
    import torch
    from datasets import load_dataset
    from torch.utils.data import DataLoader
    from transformers import DataCollatorForLanguageModeling

    torch.set_num_threads(1)

    def rows(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        encoded = tokenizer(batch["text"], return_special_tokens_mask=True)
        joined = {name: [value for row in values for value in row] for name, values in encoded.items()}
        whole = len(joined["input_ids"]) // MAX_SEQ_LEN * MAX_SEQ_LEN
        return {
            name: [values[at : at + MAX_SEQ_LEN] for at in range(0, whole, MAX_SEQ_LEN)]
            for name, values in joined.items()
        }

    stream = load_dataset("text", data_files=file, streaming=True, split="train")
    stream = stream.filter(lambda row: bool(row["text"])).map(rows, batched=True, remove_columns=["text"])
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    for batch in DataLoader(stream, batch_size=BATCH, collate_fn=collator):
        yield int(batch["attention_mask"].sum())


if __name__ == "__main__":
    main()

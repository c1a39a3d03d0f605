"""Lines per second from a file of documents to features of a language model, against the bare tokenizer; one thread.

    python -m tests.benchmarks.document_speed --data FILE.txt [--lines 150000] [--rounds 3]

The bare tokenizer makes encodings of the same lines, 1,000 at a time, without padding and truncation, and nothing of
them. The documents are read from a file in windows of 4 MB. Masking is measured by itself, in batches of 32 rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.processor import BertStyleLMProcessor
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.modeling.tokenization.backend import private_copy

MAX_SEQ_LEN, WINDOW_BYTES, BATCH = 128, 4 << 20, 32
SETTINGS: dict[str, dict[str, Any]] = {
    "pairs": {},
    "pairs of sentences": {"next_sent_pred_style": "sentence"},
    "packed": {"next_sent_pred": False},
    "one text a row": {"next_sent_pred": False, "packing": False},
}


def main() -> None:
    """Prints the rates of each kind of rows, and the median ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="one sentence a line, blank lines between documents; repeated")
    parser.add_argument("--model", default=None, help="model folder; default: the quickstart's all-MiniLM-L6-v2")
    parser.add_argument("--lines", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if args.model is None:
        from pipelines.quickstart import model_folder

        args.model = str(model_folder())
    os.environ["RAYON_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    pa.set_cpu_count(1)
    tokenizer = Tokenizer.load(args.model)
    raw = Path(args.data).read_bytes().strip() + b"\n\n"
    lines = [line for line in raw.decode().split("\n") if line.strip()]
    times = -(-args.lines // len(lines))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        file.write_bytes(raw * times)
        ratios: dict[str, list[float]] = {name: [] for name in SETTINGS}
        for number in range(args.rounds):
            bare = _bare(tokenizer, lines * times)
            print(f"round {number + 1}: bare {len(lines) * times / bare:,.0f} lines/s")
            for name, settings in SETTINGS.items():
                processor = BertStyleLMProcessor(tokenizer, MAX_SEQ_LEN, folder, **settings)
                ours, features = _features(processor, str(file))
                ratios[name].append(bare / ours)
                filled = np.mean(features["n_tokens"].to_numpy()) / MAX_SEQ_LEN
                masking = _masking(processor, features)
                told = f"{len(lines) * times / ours:,.0f} lines/s, ratio {bare / ours:.2f}, rows {filled:.0%} full"
                print(f"  {name}: {told}, masked at {masking:,.0f} tokens/s")
    print(", ".join(f"{name} {statistics.median(found):.2f}" for name, found in ratios.items()))


def _bare(tokenizer: Any, lines: list[str]) -> float:
    copy = private_copy(tokenizer)
    started = time.process_time()
    for start in range(0, len(lines), 1000):
        copy.encode_batch_fast(lines[start : start + 1000])
    return time.process_time() - started


def _features(processor: BertStyleLMProcessor, file: str) -> tuple[float, pa.Table]:
    started = time.process_time()
    parts = processor.splits(file, WINDOW_BYTES)
    tables = [processor.featurize(table) for part in parts for table in processor.read(part)]
    return time.process_time() - started, pa.concat_tables(tables)


def _masking(processor: BertStyleLMProcessor, features: pa.Table) -> float:
    """Tokens per second of whole batches: padding, masking, tensors."""
    positions = np.arange(min(features.num_rows, 200 * BATCH))
    rows = FeatureSet(
        table=features, rows=positions, padding=processor.padding(), masking=processor.masking(processor.seed)
    )
    rows.batch(positions[:BATCH])
    started = time.process_time()
    for start in range(0, len(positions), BATCH):
        rows.batch(positions[start : start + BATCH], 1)
    return int(rows.lengths.sum()) / (time.process_time() - started)


if __name__ == "__main__":
    main()

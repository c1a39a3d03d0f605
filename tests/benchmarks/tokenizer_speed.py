"""Rows per second from a file to features in the object store, against the bare tokenizer on the same texts.

    python -m tests.benchmarks.tokenizer_speed --data FILE.tsv [--rows 400000] [--rounds 3]

The bare tokenizer gets all texts as one list in one process, with a thread per core: no reading, no Arrow, no Ray.
The first round on Ray is not counted: it starts the worker processes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from farm_ray import cluster, storage
from farm_ray.data_handler.data_silo.featurize import feature_blocks, split_rows_of
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.modeling.tokenization.backend import private_copy

MAX_SEQ_LEN = 128


def main() -> None:
    """Runs the rounds and prints one line each and the median ratio."""
    args = _arguments()
    os.environ["RAYON_NUM_THREADS"] = str(cluster.cores())
    processor = TextClassificationProcessor(
        tokenizer=Tokenizer.load(args.model),
        max_seq_len=MAX_SEQ_LEN,
        data_dir=None,
        label_list=["0", "1"],
        metric="acc",
        quote_char=None,
    ).frozen()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.tsv"
        texts = _write(file, Path(args.data), args.rows)
        os.environ.pop("RAYON_NUM_THREADS")
        cluster.connect()
        os.environ["RAYON_NUM_THREADS"] = str(cluster.cores())
        _ours(processor, file)
        ratios = []
        for number in range(args.rounds):
            bare, ours = _bare(processor, texts), len(texts) / _ours(processor, file)
            ratios.append(ours / bare)
            print(f"round {number + 1}: bare {bare:,.0f} rows/s, farm_ray {ours:,.0f} rows/s, ratio {ratios[-1]:.3f}")
        print(f"{len(texts):,} rows on {cluster.cores()} cores: median ratio {statistics.median(ratios):.3f}")
        cluster.disconnect()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="TSV with a column text; its rows are repeated")
    parser.add_argument("--model", default=None, help="model folder; default: the quickstart's all-MiniLM-L6-v2")
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if args.model is None:
        from pipelines.quickstart import model_folder

        args.model = str(model_folder())
    return args


def _write(file: Path, source: Path, rows: int) -> list[str]:
    lines = source.read_text(encoding="utf-8").splitlines()
    column = lines[0].split("\t").index("text")
    given = [line.split("\t")[column] for line in lines[1:]]
    texts = [f"{given[number % len(given)]} {number}" for number in range(rows)]
    file.write_text("text\tlabel\n" + "".join(f"{text}\t{number % 2}\n" for number, text in enumerate(texts)))
    return texts


def _bare(processor: TextClassificationProcessor, texts: list[str]) -> float:
    tokenizer = private_copy(processor.tokenizer, MAX_SEQ_LEN)
    started = time.perf_counter()
    for start in range(0, len(texts), 10_000):
        tokenizer.encode_batch_fast(texts[start : start + 10_000])
    return len(texts) / (time.perf_counter() - started)


def _ours(processor: TextClassificationProcessor, file: Path) -> float:
    started = time.perf_counter()
    files = [str(file)]
    states = storage.file_states(files)
    rows = split_rows_of(processor, files, states, seed=1, rows_per_table=2000, on_ray=True)
    features, _ = feature_blocks(rows, max_tasks=128, note=lambda _: None)
    assert features.num_rows > 0
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

"""Rows per second of the stages for labelled words, against the bare tokenizer on the same words; one thread.

    python -m tests.benchmarks.word_speed --data FILE.txt [--rows 30000] [--rounds 5]

Both get the sentences in tables of 2,000. The bare tokenizer makes encodings of split words and nothing of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import pyarrow as pa

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import NERProcessor
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.modeling.tokenization.backend import private_copy

ROWS_AT_ONCE = 2000
MAX_SEQ_LEN = 128


def main() -> None:
    """Runs the rounds and prints one line each and the median ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="one token and tag a line; its sentences are repeated")
    parser.add_argument("--model", default=None, help="model folder; default: the quickstart's all-MiniLM-L6-v2")
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.model is None:
        from pipelines.quickstart import model_folder

        args.model = str(model_folder())
    os.environ["RAYON_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    processor = NERProcessor(Tokenizer.load(args.model), MAX_SEQ_LEN, None, metric="acc")
    given = pa.concat_tables(processor.read(Split(args.data)))
    processor = processor.fitted_on([given]).frozen()
    tables = [given.slice(0, min(args.rows, given.num_rows))]
    while (rows := sum(table.num_rows for table in tables)) < args.rows:
        tables.append(given.slice(0, args.rows - rows))
    dicts = pa.concat_tables(tables).combine_chunks()
    batches = [dicts.slice(start, ROWS_AT_ONCE) for start in range(0, args.rows, ROWS_AT_ONCE)]
    words = [[text.split() for text in batch["text"].to_pylist()] for batch in batches]
    _arrows(processor, batches[:1])
    ratios, reading = [], []
    for number in range(args.rounds):
        bare, ours = _bare(processor, words), _arrows(processor, batches)
        read = _read(processor, Path(args.data)) * args.rows / given.num_rows
        ratios.append(bare / ours)
        reading.append(bare / (ours + read))
        told = f"bare {args.rows / bare:,.0f} rows/s, arrows {args.rows / ours:,.0f} rows/s"
        print(f"round {number + 1}: {told}, ratio {ratios[-1]:.2f}, with reading {reading[-1]:.2f}")
    print(
        f"{args.rows:,} rows: median ratio {statistics.median(ratios):.2f}, with reading {statistics.median(reading):.2f}"
    )


def _bare(processor: NERProcessor, words: list[list[list[str]]]) -> float:
    tokenizer = private_copy(processor.tokenizer, MAX_SEQ_LEN)
    started = time.process_time()
    for batch in words:
        tokenizer.encode_batch_fast(batch, is_pretokenized=True)
    return time.process_time() - started


def _arrows(processor: NERProcessor, batches: list[pa.Table]) -> float:
    started = time.process_time()
    for batch in batches:
        processor.featurize(batch)
    return time.process_time() - started


def _read(processor: NERProcessor, file: Path) -> float:
    started = time.process_time()
    for _ in processor.read(Split(str(file))):
        pass
    return time.process_time() - started


if __name__ == "__main__":
    main()

"""Learn a tokenizer from a corpus: a folder that transformers and farm_ray open.

    python -m jobs.train_tokenizer INPUT OUTPUT_DIR [--kind wordpiece|byte_bpe|unigram] [--vocab-size N] ...

INPUT is a file, folder, pattern or s3:// address: text with a sentence on each line and blank lines between documents,
JSON lines, or Parquet. The same files give the same tokenizer.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from jobs import command_line

if TYPE_CHECKING:
    import argparse

    from farm_ray.plain import PlainDict
    from jobs.progress import ProgressPrinter

_KINDS = ("wordpiece", "byte_bpe", "unigram")


def make_parser() -> command_line.Parser:
    """The job's flags."""
    parser = command_line.make_parser("jobs.train_tokenizer", __doc__)
    add = parser.add_argument
    add("input", metavar="INPUT", help="file, folder, pattern or address of the corpus")
    add("output_dir", metavar="OUTPUT_DIR", help="local folder to write; an earlier tokenizer there is replaced")
    add(
        "--kind",
        choices=_KINDS,
        default="wordpiece",
        help="as BERT's, RoBERTa's or XLM-RoBERTa's (default: %(default)s)",
    )
    number = command_line.positive_number
    add("--vocab-size", type=number, default=30_000, metavar="N", help="tokens at most (default: %(default)s)")
    add("--cased", dest="lowercase", action="store_false", help="keep case and accents (byte_bpe always does)")
    add(
        "--text-column-name",
        "--text-column",
        default="text",
        metavar="NAME",
        help="column in JSON lines and Parquet (default: text)",
    )
    add("--encoding", default="utf-8", help="of text files (default: utf-8)")
    add("--max-bytes", type=number, metavar="N", help="bytes of text to learn from, about (default: all)")
    add("--in-process", action="store_true", help="read in this process, without Ray")
    add("--address", help="host:port of a Ray cluster (default: the one there is, else a local one)")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> PlainDict:
    """Learns the tokenizer and writes it."""
    from farm_ray.experiment.tokenizer import train_tokenizer_on

    started = time.perf_counter()
    written = train_tokenizer_on(
        arguments.input,
        arguments.output_dir,
        kind=arguments.kind,
        vocab_size=arguments.vocab_size,
        lowercase=arguments.lowercase,
        text_column_name=arguments.text_column_name,
        encoding=arguments.encoding,
        max_bytes=arguments.max_bytes,
        in_process=arguments.in_process,
        address=arguments.address,
        progress=progress,
    )
    return {**written, "seconds": {"train": round(time.perf_counter() - started, 3)}}


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())

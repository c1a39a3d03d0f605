"""Evaluate a saved model on a file with labels.

python -m jobs.evaluate MODEL_DIR FILE

FILE is TSV, CSV, JSONL or Parquet with the columns the model was trained on: a file, a folder, a glob, s3://, https://.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from jobs import command_line

if TYPE_CHECKING:
    import argparse

    from jobs.progress import ProgressPrinter

_DEFAULT_BATCH_SIZE = 32


def make_parser() -> argparse.ArgumentParser:
    """The job's flags."""
    parser = command_line.make_parser("jobs.evaluate", __doc__)
    add = parser.add_argument
    add("model_dir", metavar="MODEL_DIR", help="a folder that jobs.train saved")
    add("file", metavar="FILE", help="texts with labels")
    add("--batch-size", type=command_line.positive_number, default=_DEFAULT_BATCH_SIZE, help="rows per forward pass")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> dict[str, Any]:
    """Scores the file; the result has the metrics and the rows set aside."""
    progress("evaluate", 0, None, arguments.file)
    from farm_ray.eval import evaluate_folder

    result = evaluate_folder(arguments.model_dir, arguments.file, batch_size=arguments.batch_size)
    return {**result, "model_dir": arguments.model_dir}


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())

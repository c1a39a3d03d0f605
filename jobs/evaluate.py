"""Evaluate a saved model on a file with labels.

python -m jobs.evaluate MODEL_DIR FILE

FILE is TSV, CSV, JSONL or Parquet: a file, a folder, a glob, s3://, https://. Its columns are named and separated as in
the files the model was trained on, unless flags say how.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from jobs import command_line
from jobs.data_flags import add_data_flags

if TYPE_CHECKING:
    import argparse

    from farm_ray.plain import PlainDict
    from jobs.progress import ProgressPrinter

_DEFAULT_BATCH_SIZE = 32


def make_parser() -> command_line.Parser:
    """The job's flags."""
    parser = command_line.make_parser("jobs.evaluate", __doc__)
    add = parser.add_argument
    add("model_dir", metavar="MODEL_DIR", help="a folder that jobs.train saved")
    add("file", metavar="FILE", help="texts with labels: a file, folder, glob, s3:// or https://")
    add_data_flags(parser, default="the model's")
    add("--batch-size", type=command_line.positive_number, default=_DEFAULT_BATCH_SIZE, help="rows per forward pass")
    add("--max-problem-share", type=float, default=0.0, metavar="SHARE", help="share of rows that may be quarantined")
    add("--use-gpu", action="store_true", help="score on GPU")
    add("--use-amp", metavar="LEVEL", help="auto, bf16, fp16, O0 to O3; default: float32")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> PlainDict:
    """Scores the file; the result has the metrics and the rows quarantined."""
    progress("evaluate", 0, None, arguments.file)
    from farm_ray.eval import evaluate_folder

    started = time.perf_counter()
    result = evaluate_folder(
        arguments.model_dir,
        arguments.file,
        batch_size=arguments.batch_size,
        max_problem_share=arguments.max_problem_share,
        use_gpu=arguments.use_gpu,
        use_amp=arguments.use_amp,
        text_column=arguments.text_column_name,
        text_b_column=arguments.text_b_column_name,
        label_column=arguments.label_column_name,
        delimiter=arguments.delimiter,
        quote_char=arguments.quote_char,
        encoding=arguments.encoding,
    )
    for task, report in result["reports"].items():
        progress.line(f"report of {task}\n{report}")
    per_task = result["metrics"]
    return {
        # Flat for one task, by name for several, as jobs.train has it.
        "metrics": next(iter(per_task.values())) if len(per_task) == 1 else per_task,
        "rows": result["rows"],
        "seconds": {"eval": round(time.perf_counter() - started, 3)},
        "problems": result["problems"],
        "model_dir": arguments.model_dir,
    }


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())

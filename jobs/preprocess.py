"""Turn the data of a pipeline into features on disk: Parquet, in a folder or on s3://.

    python -m jobs.preprocess PIPELINE --output-dir OUT [--data-dir DIR] [--model MODEL] [--set key=value ...]

Writes OUT/train.parquet (dev, test likewise), and OUT/recipe.json that says what they were made of; those of an
earlier run are replaced. A run that is killed leaves its finished features there, in OUT/train.parquet.parts and so on;
the same command resumes after them.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from farm_ray.parts import RESUME
from jobs import command_line
from jobs.experiment_flags import add_experiment_flags, experiment_from

if TYPE_CHECKING:
    import argparse

    from farm_ray.plain import PlainDict
    from jobs.progress import ProgressPrinter


def make_parser() -> command_line.Parser:
    """The job's flags."""
    parser = command_line.make_parser("jobs.preprocess", __doc__)
    add_experiment_flags(parser)
    add = parser.add_argument
    add("--output-dir", metavar="OUT", required=True, help="folder or s3:// prefix to write to")
    add("--in-process", action="store_true", help="work in this process, without Ray")
    add("--resume", choices=RESUME, default="auto", help="resume after finished features (default), or restart")
    add("--address", help="host:port of a Ray cluster (default: the one there is, else a local one)")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> PlainDict:
    """Makes the features and writes them."""
    experiment = experiment_from(arguments)
    from farm_ray.experiment.preprocess import preprocess_experiment

    started = time.perf_counter()
    written = preprocess_experiment(
        experiment,
        output_dir=arguments.output_dir,
        in_process=arguments.in_process,
        address=arguments.address,
        progress=progress,
        resume=arguments.resume,
    )
    return {**written, "seconds": {"preprocess": round(time.perf_counter() - started, 3)}}


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv, resumable=True)


if __name__ == "__main__":
    sys.exit(main())

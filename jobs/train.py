"""Fine-tune a model: from files to a saved, evaluated model.

    python -m jobs.train pipelines.quickstart
    python -m jobs.train pipelines.text_classification --data-dir DIR --model MODEL
    ray job submit --working-dir . -- python -m jobs.train ... --output-dir=~/runs/mine   (on the head; never relative)

PIPELINE says what to run; the flags say where. Every field of the experiment can be changed with --set.

The result says with resumed_from_step how many steps an earlier start of the run had done (0: none); with
finished_before, that the run had ended before and its results are those it saved. --resume never trains it again.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError
from jobs import command_line
from jobs.experiment_flags import add_experiment_flags, experiment_from

if TYPE_CHECKING:
    import argparse
    from types import ModuleType

    from farm_ray.experiment import Result
    from farm_ray.plain import PlainDict
    from jobs.progress import ProgressPrinter

_NAME = "jobs.train"
_WORKERS = "training workers; 0: no Ray; MIN:MAX: as many as there is room for, also when machines come and go"
_RESTARTS = "how often workers that were lost are started again, from the last checkpoint (default: 3)"
_HANG = "without any progress for so long a worker counts as lost (default: 1800)"


def make_parser() -> command_line.Parser:
    """The job's flags."""
    parser = command_line.make_parser(_NAME, __doc__)
    add_experiment_flags(parser)
    add = parser.add_argument
    add("--output-dir", metavar="DIR", help="folder of the run (default: runs/<name of the experiment>)")
    add("--num-workers", metavar="N|MIN:MAX", type=command_line.workers, default=1, help=_WORKERS)
    add("--use-gpu", action="store_true", help="one GPU per worker")
    add("--resume", default="auto", metavar="auto|latest|never|PATH", help="go on from a checkpoint (default: auto)")
    add("--max-restarts", metavar="N", type=command_line.whole_number, default=3, help=_RESTARTS)
    add("--hang-timeout", metavar="SECONDS", type=command_line.positive_number, default=1800, help=_HANG)
    add("--address", help="host:port of a Ray cluster (default: the one there is, else a local one)")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> PlainDict:
    """Runs the experiment and says what it came to."""
    if arguments.num_workers == 0 and arguments.address:
        raise ConfigError(
            "--num-workers 0 trains without Ray, so it takes no --address; give at least one worker",
            code="option-without-effect",
            option="address",
        )
    experiment = experiment_from(arguments)
    from farm_ray.experiment.run import run_experiment

    result = run_experiment(
        experiment,
        output_dir=arguments.output_dir,
        num_workers=arguments.num_workers,
        use_gpu=arguments.use_gpu,
        resume=arguments.resume,
        address=arguments.address,
        max_restarts=arguments.max_restarts,
        hang_timeout=arguments.hang_timeout,
        progress=progress,
    )
    told = result.as_dict()
    if result.status == "preempted":
        told["resume"] = command_line.resume_command(_NAME)
        progress.line(f"stopped by a signal, with a checkpoint; go on with: {told['resume']}")
    else:
        _say_what_next(arguments.pipeline, result, progress)
    return told


def _say_what_next(pipeline: str | None, result: Result, progress: ProgressPrinter) -> None:
    """A pipeline may have a `next_steps(result)` with advice for its users; all others get the plain line."""
    module = importlib.import_module(pipeline.partition(":")[0]) if pipeline else None
    next_steps = getattr(module, "next_steps", None)
    lines = next_steps(result) if next_steps else [f"predict: {_predict_command(module, result)}"]
    progress.close()
    for line in lines:
        progress.line(line)


def _predict_command(module: ModuleType | None, result: Result) -> str:
    from farm_ray.experiment.load import brings_own_classes

    imported = f"--import {module.__name__} " if module is not None and brings_own_classes() else ""
    return f"python -m jobs.infer {imported}{result.model_dir} INPUT OUTPUT"


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv, resumable=True)


if __name__ == "__main__":
    sys.exit(main())

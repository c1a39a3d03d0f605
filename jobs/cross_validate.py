"""Cross-validate a pipeline: a model per fold, trained at once, and how well they do on the rows they have not seen.

    python -m jobs.cross_validate pipelines.quickstart --folds 5
    python -m jobs.cross_validate PIPELINE --folds 5 --inner-folds 3            (nested: dev sets are folds too)
    python -m jobs.cross_validate PIPELINE --folds 10 --train-split 0.8         (hold-out: independent splits)

The rows of train, dev and test are put together and split again. Writes OUT/cross_validation.json and
OUT/predictions.parquet: the prediction for every tested row.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError
from jobs import command_line
from jobs.experiment_flags import add_experiment_flags, experiment_from

if TYPE_CHECKING:
    import argparse

    from farm_ray.plain import PlainDict
    from jobs.progress import ProgressPrinter


def make_parser() -> command_line.Parser:
    """The job's flags."""
    parser = command_line.make_parser("jobs.cross_validate", __doc__)
    add_experiment_flags(parser)
    add, number = parser.add_argument, command_line.positive_number
    add("--folds", dest="n_splits", metavar="K", type=number, default=5, help="folds, or hold-out splits (default: 5)")
    add("--inner-folds", dest="n_inner_splits", metavar="K", type=number, help="nested: inner folds of every fold")
    add("--train-split", metavar="SHARE", type=float, help="hold-out: share of the rows for training, such as 0.8")
    add("--sets", metavar="NAMES", default="train,dev,test", help="sets to split again (default: train,dev,test)")
    add("--no-stratification", dest="stratification", action="store_false", help="do not keep the labels' shares")
    add("--random-state", metavar="SEED", type=int, help="seed of the folds (default: the experiment's)")
    add("--parallel", metavar="N", type=number, help="folds at once; 1: no Ray (default: as many as there is room for)")
    add("--threads", metavar="N", type=number, help="torch threads of each fold (default: its share of the cores)")
    add("--use-gpu", action="store_true", help="one GPU per fold")
    add("--bootstrap-samples", metavar="N", type=command_line.whole_number, default=1000, help="resamples; 0: none")
    add("--output-dir", metavar="OUT", help="folder of the results (default: runs/<name of the experiment>-folds)")
    add("--address", help="host:port of a Ray cluster (default: the one there is, else a local one)")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> PlainDict:
    """Runs the folds and says what they came to."""
    if arguments.parallel == 1 and arguments.address:
        raise ConfigError(
            "--parallel 1 works without Ray, so it takes no --address; give at least two folds at once",
            code="option-without-effect",
            option="address",
        )
    experiment = experiment_from(arguments)
    from farm_ray.experiment.cross_validation import cross_validate_experiment

    return cross_validate_experiment(
        experiment,
        n_splits=arguments.n_splits,
        n_inner_splits=arguments.n_inner_splits,
        train_split=arguments.train_split,
        sets=[name.strip() for name in arguments.sets.split(",")],
        stratification=arguments.stratification,
        random_state=arguments.random_state,
        parallel=arguments.parallel,
        threads=arguments.threads,
        use_gpu=arguments.use_gpu,
        bootstrap_samples=arguments.bootstrap_samples,
        output_dir=arguments.output_dir,
        address=arguments.address,
        progress=progress,
    )


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())

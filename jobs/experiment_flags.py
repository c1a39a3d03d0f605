"""The flags that say which experiment to run, shared by the jobs that take a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.configuration import build, dotted_names, parse_assignment, read_yaml, replace
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import Experiment
from farm_ray.experiment.farm_config import is_farm_config, load_experiments
from farm_ray.experiment.load import load_experiment
from farm_ray.experiment.preparation import attached
from jobs.data_flags import add_data_flags, data_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from jobs.command_line import Parser


def add_experiment_flags(parser: Parser) -> None:
    """PIPELINE, --data-dir, --model, how data files are written, --config and --set."""
    fields: dict[str, str] = {}
    for name in dotted_names(Experiment):
        fields.setdefault(name.rpartition(".")[2], name)
    parser.fields = fields
    add = parser.add_argument
    add("pipeline", metavar="PIPELINE", nargs="?", help="pipelines.module[:function], for example pipelines.quickstart")
    add("--data-dir", metavar="DIR", help="folder (or s3:// prefix) with the data files: processor.data_dir")
    add("--model", metavar="MODEL", help="pretrained model, a folder or a name on the hub: model.language_model")
    add_data_flags(parser, default="the pipeline's")
    add("--config", metavar="FILE", help="experiment as YAML, or FARM's JSON; goes over the pipeline's values")
    add(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="assignments",
        help="any field of the experiment, for example train.epochs=2; repeatable",
    )


def experiment_from(arguments: argparse.Namespace) -> Experiment:
    """The pipeline's experiment, then --config, then the flags for single fields, then every --set, in this order.

    Raises:
        ConfigError: On an unknown pipeline, key or value, a grid of runs, a `prepare` that the pipeline does not
            declare, or when nothing is given to run.
    """
    declared = load_experiment(arguments.pipeline) if arguments.pipeline is not None else None
    experiment = _from_files(declared, arguments.config)
    if arguments.data_dir is not None:
        experiment = replace(experiment, "processor.data_dir", arguments.data_dir)
    if arguments.model is not None:
        experiment = replace(experiment, "model.language_model", arguments.model)
    experiment = _with_data_settings(experiment, data_settings(arguments))
    for text in arguments.assignments:
        name, value = parse_assignment(text)
        experiment = replace(experiment, name, value)
    if declared is None:
        return experiment
    return replace(experiment, "prepare", attached(experiment.prepare, declared.prepare))


def _with_data_settings(experiment: Experiment, given: dict[str, str]) -> Experiment:
    """The flags of `data_flags` in the processor, and in its tasks where they name columns of their own."""
    tasks = experiment.processor.tasks
    if "label_column_name" in given and len(tasks) > 1:
        names = " and ".join(f'"{task.name}"' for task in tasks)
        raise ConfigError(
            f"--label-column names one column, and the tasks {names} have one each; name them in --config",
            code="one-of-several-columns",
            option="label_column_name",
            value=given["label_column_name"],
        )
    of_tasks = {name: text for name, text in given.items() if tasks and name in type(tasks[0]).model_fields}
    if of_tasks:
        experiment = replace(experiment, "processor.tasks", [{**task.model_dump(), **of_tasks} for task in tasks])
    for name, text in given.items():
        if not (tasks and name == "label_column_name"):
            value = text or None if name == "quote_char" else text
            experiment = replace(experiment, f"processor.{name}", value)
    return experiment


def _from_files(declared: Experiment | None, config: str | None) -> Experiment:
    if config is None:
        if declared is None:
            raise ConfigError(
                "give a PIPELINE, for example pipelines.quickstart, or --config FILE",
                code="missing-option",
                option="pipeline",
            )
        return declared
    if is_farm_config(config):
        if declared is not None:
            raise ConfigError(
                f"{config} is a whole FARM experiment; give it without a PIPELINE",
                code="conflicting-options",
                option="config",
                file=config,
            )
        return _single(load_experiments(config), config)
    values = read_yaml(config)
    return build(Experiment, values) if declared is None else _over(declared, values)


def _single(experiments: list[Experiment], config: str) -> Experiment:
    if len(experiments) != 1:
        raise ConfigError(
            f"{config} spans a grid of {len(experiments)} runs and a job is one run; give single values in it, "
            "or loop over farm_ray.experiment.load_experiments(file)",
            code="too-many-runs",
            file=config,
            value=len(experiments),
        )
    return experiments[0]


def _over(experiment: Experiment, values: Mapping[str, object], prefix: str = "") -> Experiment:
    """The experiment with the values of a (partial) tree; a mapping goes into the part it names."""
    for name, value in values.items():
        if isinstance(value, dict) and not prefix and name in {"processor", "data", "model", "train"}:
            experiment = _over(experiment, value, f"{name}.")
        else:
            experiment = replace(experiment, prefix + str(name), value)
    return experiment

"""From the configuration to the objects of a run: processor, silo, model."""

from __future__ import annotations

import glob
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from farm_ray import storage
from farm_ray.configuration import nearest
from farm_ray.data_handler.processor.config import one_or_all
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import Experiment
from farm_ray.experiment.heads import head_configs
from farm_ray.experiment.preparation import Prepare
from farm_ray.experiment.processor_config import BertStyleLMProcessorConfig
from farm_ray.options import fields_for
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.table import spec_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.data_handler.data_silo.base import BaseSilo
    from farm_ray.data_handler.data_silo.partial_features import PartialFeatures
    from farm_ray.data_handler.processor import Processor
    from farm_ray.experiment.config import HeadConfig
    from farm_ray.experiment.processor_config import AnyProcessorConfig
    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.plain import PlainDict
    from farm_ray.progress import Progress
    from farm_ray.tasks.spec import TaskSpec


logger = logging.getLogger(__name__)

_ANY_LABELS = ("0", "1")
_LOSS = "loss"
"""Is among the results of every head."""


def _check_is_experiment(given: object) -> None:
    if not isinstance(given, Experiment):
        hint = "load_experiments(file) makes experiments of FARM's JSON, read_experiment(file) one of YAML"
        raise ConfigError(
            f"this is a {type(given).__name__}, not an Experiment; {hint}",
            code="not-an-experiment",
            value=type(given).__name__,
        )


def check_experiment(experiment: Experiment) -> None:
    """Finds what can be found wrong without reading data or weights.

    Raises:
        ConfigError: On a missing model or data folder, an unknown metric, optimizer or schedule, or heads, tasks,
            metrics and early stopping that do not fit.
    """
    _check_is_experiment(experiment)
    model, data = experiment.model, experiment.data
    if not (model.language_model or "").strip() and model.from_scratch is None:
        raise ConfigError(
            "no language model is given: --model FOLDER, or --set model.language_model=...",
            code="missing-option",
            option="model.language_model",
        )
    if model.language_model is not None and model.from_scratch is not None:
        raise ConfigError(
            "model.language_model and model.from_scratch are both given; leave one out",
            code="conflicting-options",
            option="model.from_scratch",
        )
    if data.streaming and data.caching:
        raise ConfigError(
            "data.caching keeps features that data.streaming never has together; leave one out",
            code="conflicting-options",
            option="data.caching",
        )
    _check_places(experiment)
    processor = experiment.processor
    if processor.data_dir is None:
        raise ConfigError(
            "no data folder is given: --data-dir FOLDER, or --set processor.data_dir=...",
            code="missing-option",
            option="processor.data_dir",
        )
    data_dir = storage.local_path(processor.data_dir)
    if data_dir.is_file():
        raise ConfigError(
            f"the data folder {data_dir} is a file; name its folder, and then the file: "
            f"--data-dir {data_dir.parent} --set processor.train_filename={data_dir.name}",
            code="not-a-folder",
            file=str(data_dir),
        )
    if isinstance(experiment.prepare, Prepare) and not _data_is_there(experiment):
        experiment.prepare.check(data_dir)
    if processor.tasks and getattr(processor, "label_list", None) is not None and not processor.keeps_own_task:
        raise ConfigError(
            "processor.label_list is for one task; with processor.tasks give each task its own",
            code="conflicting-options",
            option="processor.label_list",
        )
    if not processor.train_filename:
        raise ConfigError(
            "processor.train_filename is empty; training needs a file",
            code="missing-option",
            option="processor.train_filename",
        )
    task_names = [task.name for task in processor.tasks]
    twice = {name for name in task_names if task_names.count(name) > 1}
    if twice:
        raise ConfigError(
            f'processor.tasks has two tasks named "{min(twice)}"; names must differ',
            code="name-is-taken",
            option="processor.tasks",
            value=min(twice),
        )
    tasks = _scored_tasks(processor)
    heads = head_configs(experiment, list(tasks))
    _check_class_weights(heads, tasks)
    _check_training(experiment, [(head.task, tasks[head.task]) for head in heads])


def refuse_stream(experiment: Experiment, wanted: str) -> None:
    """Raises ConfigError where the training data, or a model to be learnt from it, is not there before the training."""
    if experiment.data.streaming:
        raise ConfigError(
            f"{wanted} need the training data in memory; give data.streaming=false",
            code="stream-not-in-memory",
            option="data.streaming",
        )
    if experiment.model.from_scratch is not None:
        raise ConfigError(
            f"{wanted} need a tokenizer beforehand; give model.language_model in place of from_scratch",
            code="conflicting-options",
            option="model.from_scratch",
        )


class _Scored(NamedTuple):
    """What the results of a task are made of."""

    metric: tuple[str, ...]
    spec: TaskSpec
    labels: tuple[str, ...] = ()
    """Those that are given."""

    def rows(self) -> list[Any]:
        """What the metrics are tried on."""
        return self.spec.labels.trial(self.labels)

    def stand_ins(self) -> list[Any]:
        """As `rows`, with labels that every metric takes where the training data will give them."""
        return self.rows() or self.spec.labels.trial(_ANY_LABELS)


def _scored_tasks(processor: AnyProcessorConfig) -> dict[str, _Scored]:
    if isinstance(processor, BertStyleLMProcessorConfig):
        found = {"lm": _Scored((LANGUAGE_MODELLING.metric,), LANGUAGE_MODELLING)}
        next_sentence = _Scored((CLASSIFICATION.metric,), CLASSIFICATION, ("True", "False"))
        return found | ({"nextsentence": next_sentence} if processor.next_sent_pred else {})
    own = spec_named(processor.own_task_type(), task_name=processor.kind)
    tasks = {
        task.name: _Scored(
            task.metric, spec_named(task.task_type, task_name=task.name) if task.task_type else own, task.label_list
        )
        for task in processor.tasks
    }
    if tasks and not processor.keeps_own_task:
        return tasks
    scored = _Scored(processor.metric, own, getattr(processor, "label_list", None) or ())
    return {own.own_task_name: scored, **tasks}


def _check_class_weights(heads: Sequence[HeadConfig], tasks: Mapping[str, _Scored]) -> None:
    for head in heads:
        scored = tasks[head.task]
        if isinstance(head.class_weights, tuple) and scored.spec.labels.named and not scored.labels:
            raise ConfigError(
                f"model.heads: class_weights of task {head.task} are in the order of its label_list, and it has none; "
                "give label_list, or class_weights=balanced",
                code="labels-not-known",
                task=head.task,
            )


def _check_training(experiment: Experiment, heads: list[tuple[str, _Scored]]) -> None:
    from farm_ray.evaluation.metrics import check_metric
    from farm_ray.modeling.optimization.optimizers import check_optimizer
    from farm_ray.modeling.optimization.schedules import check_schedule

    for _, scored in heads:
        check_metric(scored.metric, scored.rows())
    check_optimizer(experiment.train.optimizer_opts)
    check_schedule(experiment.train.schedule_opts)
    stopping = experiment.train.early_stopping
    if stopping is None:
        return
    if not experiment.processor.dev_filename and not experiment.processor.dev_split:
        raise ConfigError(
            "train.early_stopping watches the dev set, and there is none; give processor.dev_filename, "
            "or a processor.dev_split above 0",
            code="no-dev-set",
            option="train.early_stopping",
        )
    if stopping.head >= len(heads):
        raise ConfigError(
            f"train.early_stopping.head={stopping.head}, but there are {len(heads)} heads (counted from 0): "
            f"{', '.join(name for name, _ in heads)}",
            code="unknown-head",
            option="train.early_stopping.head",
            value=stopping.head,
        )
    _check_watched(stopping.metric, *heads[stopping.head])


def _check_watched(watched: str, task: str, scored: _Scored) -> None:
    """A value for early stopping that no evaluation yields is refused where the values are known for sure."""
    from farm_ray.evaluation.metrics import reported_names

    if watched == _LOSS or scored.spec == LANGUAGE_MODELLING:
        return
    names, all_known = reported_names(scored.metric, scored.stand_ins())
    if watched in names:
        return
    known = [_LOSS, *names]
    if all_known:
        raise ConfigError(
            f'train.early_stopping.metric="{watched}": the dev results of task {task} have no such value'
            f"{nearest(watched, known)}",
            code="unknown-metric",
            option="train.early_stopping.metric",
            value=watched,
            task=task,
        )
    logger.warning(
        'train.early_stopping.metric="%s" may be missing from the dev results of task %s, and the run would then fail; '
        "its metrics, tried on one row per label, gave: %s",
        watched,
        task,
        ", ".join(known),
    )


def _check_places(experiment: Experiment) -> None:
    """The output folder is checked by who writes there."""
    places = {
        "cache_path": experiment.data.cache_path if experiment.data.caching else None,
        "checkpoint_root_dir": experiment.train.checkpoint_root_dir,
    }
    for name, place in places.items():
        if place is not None:
            storage.check_lasting(place, hint=f"give an absolute {name}=...")


def prepare_data(experiment: Experiment) -> None:
    """Calls the experiment's `prepare` when the training or dev file is not there yet.

    Raises:
        ConfigError: When it is only a name, as a file holds it.
    """
    if experiment.prepare is not None and not _data_is_there(experiment):
        folder = storage.local_path(str(experiment.processor.data_dir))
        logger.info("gathering the data in %s", folder)
        experiment.prepare(folder)


def _data_is_there(experiment: Experiment) -> bool:
    """Also for data at an address, where nothing is gathered."""
    folder = storage.local_path(str(experiment.processor.data_dir))
    names = [experiment.processor.train_filename, experiment.processor.dev_filename]
    found = ((folder / name).exists() or glob.glob(str(folder / name)) for name in names if name)  # noqa: PTH207
    return "://" in str(experiment.processor.data_dir) or all(found)


def make_processor(config: AnyProcessorConfig, tokenizer: TokenizerLike, *, seed: int) -> Processor:
    """The processor with its tasks.

    Args:
        config: What to read and how.
        tokenizer: From `Tokenizer.load`.
        seed: Of `max_samples`.
    """
    from farm_ray.data_handler.processor import processor_class

    values = config.arguments()
    if "max_samples" in values or isinstance(config, BertStyleLMProcessorConfig):
        values["seed"] = seed
    kind: Callable[..., Processor] = processor_class(config.kind)
    processor = kind(tokenizer=tokenizer, **values)
    for task in config.tasks:
        processor.add_task(
            name=task.name,
            metric=one_or_all(task.metric),
            label_list=list(task.label_list) or None,
            label_column_name=task.label_column_name,
            label_name=task.label_name,
            task_type=task.task_type,
            text_column_name=task.text_column_name or getattr(config, "text_column_name", None),
        )
    return processor


def make_silo(
    experiment: Experiment,
    processor: Processor,
    *,
    in_process: bool,
    problems_dir: Path | None,
    progress: Progress | None,
) -> BaseSilo:
    """The data of the run; `in_process` keeps Ray out of all but the workers of a training."""
    from farm_ray.data_handler.data_silo import StreamingDataSilo

    data = experiment.data
    if not data.streaming:
        return make_silo_in_memory(
            experiment, processor, in_process=in_process, problems_dir=problems_dir, progress=progress
        )
    options = fields_for(StreamingDataSilo, data) | _in_this_run(experiment, in_process=in_process)
    return StreamingDataSilo(processor, **options, problems_dir=problems_dir, progress=progress)


def make_silo_in_memory(
    experiment: Experiment,
    processor: Processor,
    *,
    in_process: bool,
    problems_dir: Path | None,
    progress: Progress | None,
    parts: PartialFeatures | None = None,
) -> DataSilo:
    """As `make_silo`, of data that is not streamed; `parts` as for `DataSilo`."""
    from farm_ray.data_handler.data_silo import DataSilo

    options = fields_for(DataSilo, experiment.data) | _in_this_run(experiment, in_process=in_process)
    return DataSilo(processor, **options, problems_dir=problems_dir, progress=progress, parts=parts)


def _in_this_run(experiment: Experiment, *, in_process: bool) -> PlainDict:
    """What a silo is told besides the options of `data`."""
    return {"seed": experiment.seed} | ({"max_processes": 1} if in_process else {})

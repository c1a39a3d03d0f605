"""From the configuration to the objects of a run: processor, silo, model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.evaluation.trial import trial_rows
from farm_ray.experiment.config import HeadConfig
from farm_ray.experiment.load import load_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.data_handler.processor import Processor
    from farm_ray.experiment.config import Experiment
    from farm_ray.experiment.processor_config import ProcessorConfig
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.prediction_head import PredictionHead

    Progress = Callable[[str, int, int | None, str], None]

logger = logging.getLogger(__name__)

_OWN_TASK = {
    "RegressionProcessor": ("regression", "regression"),
    "TextPairRegressionProcessor": ("regression", "regression"),
    "NERProcessor": ("ner", "token_classification"),
}
"""Name and type of the task that a processor makes by itself, where it is not text_classification."""
_WORDS = "NERProcessor"
"""The kind whose own task stays when there are others."""
_LOSS = "loss"
"""Is among the results of every head."""
_ANY_WIDTH = 768
HEAD_OF_TASK = {
    "classification": "TextClassificationHead",
    "multilabel_classification": "MultiLabelTextClassificationHead",
    "regression": "RegressionHead",
    "token_classification": "TokenClassificationHead",
}
"""The head that answers a type of task."""
_NOT_THE_PROCESSORS = {"kind", "tasks", "metric", "data_dir"}


def check_experiment(experiment: Experiment) -> None:
    """Finds what can be found wrong without reading data or weights.

    Raises:
        ConfigError: On a missing model or data folder, an unknown metric, optimizer or schedule, or heads, tasks,
            metrics and early stopping that do not fit.
    """
    if experiment.model.language_model is None:
        raise ConfigError("no language model is given: --model FOLDER, or --set model.language_model=...")
    processor = experiment.processor
    if processor.data_dir is None:
        raise ConfigError("no data folder is given: --data-dir FOLDER, or --set processor.data_dir=...")
    data_dir = Path(processor.data_dir)
    if data_dir.is_file():
        raise ConfigError(
            f"the data folder {data_dir} is a file; name its folder, and then the file: "
            f"--data-dir {data_dir.parent} --set processor.train_filename={data_dir.name}"
        )
    if processor.tasks and getattr(processor, "label_list", None) is not None and processor.kind != _WORDS:
        raise ConfigError("processor.label_list is for one task; with processor.tasks give each task its own")
    if not processor.train_filename:
        raise ConfigError("processor.train_filename is empty; training needs a file")
    task_names = [task.name for task in processor.tasks]
    twice = {name for name in task_names if task_names.count(name) > 1}
    if twice:
        raise ConfigError(f'processor.tasks has two tasks named "{min(twice)}"; names must differ')
    tasks = _scored_tasks(processor)
    heads = _head_configs(experiment, list(tasks))
    _check_training(experiment, [(head.task, tasks[head.task]) for head in heads])


class _Scored(NamedTuple):
    """What the results of a task are made of."""

    metric: tuple[str, ...]
    rows: list[Any]
    """What the metrics are tried on."""


def _scored_tasks(processor: ProcessorConfig) -> dict[str, _Scored]:
    default = "multilabel_classification" if getattr(processor, "multilabel", False) else "classification"
    tasks = {
        task.name: _Scored(task.metric, trial_rows(task.task_type or default, task.label_list))
        for task in processor.tasks
    }
    if tasks and processor.kind != _WORDS:
        return tasks
    name, task_type = _OWN_TASK.get(processor.kind, ("text_classification", default))
    own = _Scored(processor.metric, trial_rows(task_type, getattr(processor, "label_list", None) or ()))
    return {name: own, **tasks}


def _check_training(experiment: Experiment, heads: list[tuple[str, _Scored]]) -> None:
    from farm_ray.evaluation.metrics import check_metric
    from farm_ray.modeling.optimization.optimizers import check_optimizer
    from farm_ray.modeling.optimization.schedules import check_schedule

    for _, scored in heads:
        check_metric(scored.metric, scored.rows)
    check_optimizer(experiment.train.optimizer_opts)
    check_schedule(experiment.train.schedule_opts)
    stopping = experiment.train.early_stopping
    if stopping is None:
        return
    if not experiment.processor.dev_filename and not experiment.processor.dev_split:
        raise ConfigError(
            "train.early_stopping watches the dev set, and there is none; give processor.dev_filename, "
            "or a processor.dev_split above 0"
        )
    if stopping.head >= len(heads):
        raise ConfigError(
            f"train.early_stopping.head={stopping.head}, but there are {len(heads)} heads (counted from 0): "
            f"{', '.join(name for name, _ in heads)}"
        )
    _check_watched(stopping.metric, *heads[stopping.head])


def _check_watched(watched: str, task: str, scored: _Scored) -> None:
    """A value for early stopping that no evaluation yields is refused where the values are known for sure."""
    from farm_ray.evaluation.metrics import reported_names

    if watched == _LOSS or not scored.rows:
        return
    names, all_known = reported_names(scored.metric, scored.rows)
    if watched in names:
        return
    known = [_LOSS, *names]
    if all_known:
        raise ConfigError(
            f'train.early_stopping.metric="{watched}": the dev results of task {task} have no such value'
            f"{nearest(watched, known)}"
        )
    logger.warning(
        'train.early_stopping.metric="%s" may be missing from the dev results of task %s, and the run would then fail; '
        "its metrics, tried on one row per label, gave: %s",
        watched,
        task,
        ", ".join(known),
    )


def prepare_data(experiment: Experiment) -> None:
    """Calls the experiment's `prepare` when the training or dev file is not there yet."""
    if experiment.prepare is None:
        return
    prepare = load_function(experiment.prepare, what="prepare")
    folder = Path(str(experiment.processor.data_dir))
    names = [experiment.processor.train_filename, experiment.processor.dev_filename]
    if not all((folder / name).exists() for name in names if name):
        logger.info("gathering the data in %s", folder)
        prepare(folder)


def make_processor(config: ProcessorConfig, tokenizer: Any, *, seed: int) -> Processor:
    """The processor with its tasks.

    Args:
        config: What to read and how.
        tokenizer: From `Tokenizer.load`.
        seed: Of `max_samples`.
    """
    from farm_ray.data_handler import processor as processors

    values = {name: getattr(config, name) for name in type(config).model_fields if name not in _NOT_THE_PROCESSORS}
    # Processors keep lists: that is what JSON gives back.
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    values["metric"] = None if config.tasks and config.kind != _WORDS else _metric(config.metric)
    if "max_samples" in values:
        values["seed"] = seed
    kind: Any = getattr(processors, config.kind)
    processor = kind(tokenizer=tokenizer, data_dir=config.data_dir, **values)
    for task in config.tasks:
        processor.add_task(
            name=task.name,
            metric=_metric(task.metric),
            label_list=list(task.label_list),
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
) -> DataSilo:
    """The data of the run; `in_process` keeps Ray out."""
    from farm_ray.data_handler.data_silo import DataSilo

    data = experiment.data
    return DataSilo(
        processor,
        batch_size=data.batch_size,
        eval_batch_size=data.eval_batch_size,
        max_processes=1 if in_process else data.max_processes,
        caching=data.caching,
        cache_path=Path(data.cache_path),
        seed=experiment.seed,
        max_problem_share=data.max_problem_share,
        problems_dir=problems_dir,
        progress=progress,
    )


def make_model(experiment: Experiment, silo: DataSilo, language_model: LanguageModel) -> AdaptiveModel:
    """The language model with one head per task; fresh weights come from the experiment's seed."""
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.reproducibility import set_all_seeds

    if experiment.model.dropout is not None:
        language_model.set_dropout(experiment.model.dropout)
    frozen = experiment.model.frozen_layers
    if frozen is not None:
        language_model.freeze(None if frozen == "all" else frozen)
    set_all_seeds(experiment.seed)
    heads = [_make_head(config, silo) for config in _head_configs(experiment, list(silo.processor.tasks))]
    return AdaptiveModel(
        language_model=language_model,
        prediction_heads=heads,
        embeds_dropout_prob=experiment.model.embeds_dropout_prob,
        lm_output_types=[head.ph_output_type for head in heads],
        device="cpu",
    )


def _head_configs(experiment: Experiment, tasks: list[str]) -> list[HeadConfig]:
    given = experiment.model.heads
    if not given:
        return [HeadConfig(task=task, class_weights=experiment.model.class_weights) for task in tasks]
    named = [head.task for head in given]
    for name in named:
        if name not in tasks:
            raise ConfigError(f'model.heads: no task is named "{name}"{nearest(name, tasks)}')
    for task in tasks:
        if named.count(task) != 1:
            raise ConfigError(f'model.heads needs one head for task "{task}", and there are {named.count(task)}')
    return list(given)


def _make_head(config: HeadConfig, silo: DataSilo) -> PredictionHead:
    task = silo.processor.tasks[config.task]
    kind = HEAD_OF_TASK[task["task_type"]]
    if kind == "RegressionHead":
        return _make_regression_head(config)
    labels = task["label_list"]
    weights: Any = config.class_weights
    if weights == "balanced":
        weights = silo.calculate_class_weights(config.task, source="train")
    elif weights is not None and len(weights) != len(labels):
        raise ConfigError(
            f"model.heads: class_weights of task {config.task} has {len(weights)} values for {len(labels)} labels; "
            "give one each"
        )
    from farm_ray.modeling.prediction_head import HEADS

    head: Any = HEADS[kind]
    return head(
        layer_dims=_widths(config, len(labels)),
        class_weights=None if weights is None else [float(weight) for weight in weights],
        task_name=config.task,
    )


def _make_regression_head(config: HeadConfig) -> PredictionHead:
    from farm_ray.modeling.prediction_head import RegressionHead

    if config.class_weights is not None:
        raise ConfigError(f"task {config.task} is a regression, which has no classes to weigh; leave class_weights out")
    return RegressionHead(layer_dims=_widths(config, 1), task_name=config.task)


def _widths(config: HeadConfig, outputs: int) -> list[int]:
    """Widths of the layers; the first is fitted to the language model."""
    return [config.hidden_dims[0] if config.hidden_dims else _ANY_WIDTH, *config.hidden_dims, outputs]


def _metric(metric: tuple[str, ...]) -> str | list[str]:
    return metric[0] if len(metric) == 1 else list(metric)

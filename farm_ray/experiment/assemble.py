"""From the configuration to the objects of a run: processor, silo, model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import HeadConfig
from farm_ray.experiment.load import load_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.data_handler.processor import Processor
    from farm_ray.experiment.config import Experiment, TextClassificationProcessorConfig
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.prediction_head import PredictionHead

    Progress = Callable[[str, int, int | None, str], None]

logger = logging.getLogger(__name__)

_ONE_TASK = "text_classification"
"""Name of the task that a `label_list` makes."""
_LOSS = "loss"
"""Is among the results of every head."""
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
    if processor.tasks and processor.label_list is not None:
        raise ConfigError("processor.label_list is for one task; with processor.tasks give each task its own")
    if not processor.train_filename:
        raise ConfigError("processor.train_filename is empty; training needs a file")
    task_names = [task.name for task in processor.tasks]
    twice = {name for name in task_names if task_names.count(name) > 1}
    if twice:
        raise ConfigError(f'processor.tasks has two tasks named "{min(twice)}"; names must differ')
    tasks = {task.name: _Scored(task.metric, task.label_list) for task in processor.tasks}
    tasks = tasks or {_ONE_TASK: _Scored(processor.metric, processor.label_list or ())}
    heads = _head_configs(experiment, list(tasks))
    _check_training(experiment, [(head.task, tasks[head.task]) for head in heads])


class _Scored(NamedTuple):
    """What the results of a task are made of."""

    metric: tuple[str, ...]
    label_list: tuple[str, ...]


def _check_training(experiment: Experiment, heads: list[tuple[str, _Scored]]) -> None:
    from farm_ray.evaluation.metrics import check_metric
    from farm_ray.modeling.optimization.optimizers import check_optimizer
    from farm_ray.modeling.optimization.schedules import check_schedule

    for _, scored in heads:
        check_metric(scored.metric, scored.label_list)
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

    if watched == _LOSS or not scored.label_list:
        return
    names, all_known = reported_names(scored.metric, scored.label_list)
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


def make_processor(config: TextClassificationProcessorConfig, tokenizer: Any, *, seed: int) -> Processor:
    """The processor with its tasks.

    Args:
        config: What to read and how.
        tokenizer: From `Tokenizer.load`.
        seed: Of `max_samples`.
    """
    from farm_ray.data_handler.processor import TextClassificationProcessor

    values = {name: getattr(config, name) for name in type(config).model_fields if name not in _NOT_THE_PROCESSORS}
    values["label_list"] = None if config.label_list is None else list(config.label_list)
    values["skiprows"] = list(config.skiprows) if isinstance(config.skiprows, tuple) else config.skiprows
    metric = None if config.tasks else _metric(config.metric)
    processor = TextClassificationProcessor(
        tokenizer=tokenizer, data_dir=config.data_dir, metric=metric, seed=seed, **values
    )
    for task in config.tasks:
        processor.add_task(
            name=task.name,
            metric=_metric(task.metric),
            label_list=list(task.label_list),
            label_column_name=task.label_column_name,
            label_name=task.label_name,
            text_column_name=task.text_column_name or config.text_column_name,
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
    set_all_seeds(experiment.seed)
    heads = [_make_head(config, silo) for config in _head_configs(experiment, list(silo.processor.tasks))]
    return AdaptiveModel(
        language_model=language_model,
        prediction_heads=heads,
        embeds_dropout_prob=experiment.model.embeds_dropout_prob,
        lm_output_types=["per_sequence"] * len(heads),
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
    from farm_ray.modeling.prediction_head import TextClassificationHead

    labels = silo.processor.tasks[config.task]["label_list"]
    weights: Any = config.class_weights
    if weights == "balanced":
        weights = silo.calculate_class_weights(config.task, source="train")
    elif weights is not None and len(weights) != len(labels):
        raise ConfigError(
            f"model.heads: class_weights of task {config.task} has {len(weights)} values for {len(labels)} labels; "
            "give one each"
        )
    # The first width is fitted to the language model.
    dims = [config.hidden_dims[0], *config.hidden_dims, len(labels)] if config.hidden_dims else None
    return TextClassificationHead(
        layer_dims=dims,
        num_labels=len(labels),
        class_weights=None if weights is None else [float(weight) for weight in weights],
        task_name=config.task,
    )


def _metric(metric: tuple[str, ...]) -> str | list[str]:
    return metric[0] if len(metric) == 1 else list(metric)

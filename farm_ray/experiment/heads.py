"""From tasks to prediction heads, and with the language model to the model of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import HeadConfig
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING

if TYPE_CHECKING:
    from collections.abc import Callable

    from farm_ray.data_handler.data_silo.base import BaseSilo
    from farm_ray.experiment.config import Experiment
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.tasks.task import Task

_LANGUAGE_MODEL = "BertStyleLMProcessor"
"""The kind of processor whose tasks the pretrained model may bring heads for."""
_ANY_WIDTH = 768


def make_model(experiment: Experiment, silo: BaseSilo, language_model: LanguageModel) -> AdaptiveModel:
    """The language model with one head per task; fresh weights come from the experiment's seed."""
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.reproducibility import set_all_seeds

    if experiment.model.dropout is not None:
        language_model.set_dropout(experiment.model.dropout)
    frozen = experiment.model.frozen_layers
    if isinstance(frozen, int) and frozen > language_model.separate_layers:
        raise ConfigError(
            f"frozen_layers={frozen}, but the model has {language_model.separate_layers} separate layers",
            code="invalid-value",
            option="frozen_layers",
            value=frozen,
        )
    if frozen is not None:
        language_model.freeze(None if frozen == "all" else frozen)
    set_all_seeds(experiment.seed)
    heads = [
        _make_language_model_head(config.task, silo, experiment, language_model)
        if experiment.processor.kind == _LANGUAGE_MODEL
        else _make_head(config, silo)
        for config in head_configs(experiment, list(silo.processor.tasks))
    ]
    return AdaptiveModel(
        language_model=language_model,
        prediction_heads=heads,
        embeds_dropout_prob=experiment.model.embeds_dropout_prob,
        lm_output_types=[head.ph_output_type for head in heads],
        device="cpu",
    )


def head_configs(experiment: Experiment, tasks: list[str]) -> list[HeadConfig]:
    """One head per task: those that the experiment describes, else derived ones.

    Raises:
        ConfigError: When the experiment describes heads, and not one for each task.
    """
    given = experiment.model.heads
    if not given:
        return [HeadConfig(task=task, class_weights=experiment.model.class_weights) for task in tasks]
    named = [head.task for head in given]
    for name in named:
        if name not in tasks:
            raise ConfigError(
                f'model.heads: no task is named "{name}"{nearest(name, tasks)}',
                code="unknown-task",
                option="model.heads",
                value=name,
            )
    for task in tasks:
        if named.count(task) != 1:
            raise ConfigError(
                f'model.heads needs one head for task "{task}", and there are {named.count(task)}',
                code="one-head-per-task",
                option="model.heads",
                task=task,
            )
    return list(given)


def _make_language_model_head(
    task: str, silo: BaseSilo, experiment: Experiment, language_model: LanguageModel
) -> PredictionHead:
    """The head that the pretrained model came with, or a fresh one."""
    from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead

    name, revision = experiment.model.language_model, experiment.model.revision
    if silo.processor.tasks[task].spec == LANGUAGE_MODELLING:
        return BertLMHead.for_language_model(language_model) if name is None else BertLMHead.load(name, revision)
    return NextSentenceHead(num_labels=2) if name is None else NextSentenceHead.load(name, revision)


def _make_head(config: HeadConfig, silo: BaseSilo) -> PredictionHead:
    from farm_ray.modeling.prediction_head.base import head_class

    task = silo.processor.tasks[config.task]
    weights = _class_weights(config, task, silo)
    kind: Callable[..., PredictionHead] = head_class(task.spec.head)
    return kind(
        layer_dims=_widths(config, task.labels.outputs(task)),
        task_name=config.task,
        **({} if weights is None else {"class_weights": weights}),
    )


def _class_weights(config: HeadConfig, task: Task, silo: BaseSilo) -> list[float] | None:
    weights: Any = config.class_weights
    if weights is None:
        return None
    if not task.labels.classes:
        raise ConfigError(
            f"task {config.task} is a {task.task_type}, which has no classes to weigh; leave class_weights out",
            code="no-classes",
            task=config.task,
        )
    if weights == "balanced":
        weights = silo.calculate_class_weights(config.task, source="train")
    elif len(weights) != len(task.label_list):
        raise ConfigError(
            f"model.heads: class_weights of task {config.task} has {len(weights)} values for {len(task.label_list)} "
            "labels; give one each",
            code="wrong-number-of-weights",
            task=config.task,
            value=len(weights),
        )
    return [float(weight) for weight in weights]


def _widths(config: HeadConfig, outputs: int) -> list[int]:
    """Widths of the layers; the first is fitted to the language model."""
    return [config.hidden_dims[0] if config.hidden_dims else _ANY_WIDTH, *config.hidden_dims, outputs]

"""From tasks to prediction heads, and with the language model to the model of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import HeadConfig

if TYPE_CHECKING:
    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.experiment.config import Experiment
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.prediction_head import PredictionHead

_LANGUAGE_MODEL = "BertStyleLMProcessor"
"""The kind of processor whose tasks the pretrained model may bring heads for."""
_ANY_WIDTH = 768
HEAD_OF_TASK = {
    "classification": "TextClassificationHead",
    "multilabel_classification": "MultiLabelTextClassificationHead",
    "regression": "RegressionHead",
    "token_classification": "TokenClassificationHead",
}
"""The head that answers a type of task."""


def make_model(experiment: Experiment, silo: DataSilo, language_model: LanguageModel) -> AdaptiveModel:
    """The language model with one head per task; fresh weights come from the experiment's seed."""
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.reproducibility import set_all_seeds

    if experiment.model.dropout is not None:
        language_model.set_dropout(experiment.model.dropout)
    frozen = experiment.model.frozen_layers
    if isinstance(frozen, int) and frozen > language_model.separate_layers:
        raise ConfigError(f"frozen_layers={frozen}, but the model has {language_model.separate_layers} separate layers")
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
            raise ConfigError(f'model.heads: no task is named "{name}"{nearest(name, tasks)}')
    for task in tasks:
        if named.count(task) != 1:
            raise ConfigError(f'model.heads needs one head for task "{task}", and there are {named.count(task)}')
    return list(given)


def _make_language_model_head(
    task: str, silo: DataSilo, experiment: Experiment, language_model: LanguageModel
) -> PredictionHead:
    """The head that the pretrained model came with, or a fresh one."""
    from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead

    name, revision = experiment.model.language_model, experiment.model.revision
    if silo.processor.tasks[task]["task_type"] == "language_modelling":
        return BertLMHead.for_language_model(language_model) if name is None else BertLMHead.load(name, revision)
    return NextSentenceHead(num_labels=2) if name is None else NextSentenceHead.load(name, revision)


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

"""Whether a transformers checkpoint holds a head for the task that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model.pooling import FAMILIES
from farm_ray.tasks.checkpoints import architecture_of, siblings, spec_of_checkpoint
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.table import EMBEDDINGS, LATER, all_specs

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedConfig

    from farm_ray.tasks.spec import TaskSpec

_LATER_ENDINGS = {"QuestionAnswering": "question_answering"}


def checked_task(name_or_path: str | Path, config: PreTrainedConfig, task_type: str | None) -> TaskSpec:
    """The kind of task that the checkpoint's head is taken for.

    A classifier that does not say what it is for answers one label per row, or a number where it has one output;
    `multilabel_text_classification` makes it answer several. `text_classification` stands for all three of them.

    Args:
        name_or_path: Where the checkpoint is, for messages.
        config: Its configuration.
        task_type: What is asked for, as FARM or a head calls it; None takes what is there.

    Raises:
        ConfigError: When the checkpoint holds no head for the task, or one that cannot be converted.
    """
    there = spec_of_checkpoint(config)
    wanted = there if task_type is None else _asked_for(task_type)
    later = task_type if task_type in LATER else _later(config) if wanted is None else None
    if later is not None:
        raise ConfigError(
            f'conversion of "{later}" models ({name_or_path}) is not available yet in this version',
            code="not-available-yet",
            value=later,
            file=name_or_path,
        )
    if task_type is None and wanted is None:
        raise ConfigError(
            f'"{name_or_path}" ({architecture_of(config) or "no architecture given"}) has no head; give '
            'task_type="embeddings", or train a head: LanguageModel.load and TextClassificationHead',
            code="no-head",
            file=name_or_path,
        )
    if wanted is None:
        known = [spec.farm_name for spec in all_specs() if spec.transformers is not None]
        raise ConfigError(
            f'unknown task_type "{task_type}"{nearest(str(task_type), (*known, EMBEDDINGS))}',
            code="unknown-task-type",
            value=task_type,
        )
    if there is None or not _fits(wanted, there, config):
        held = there.farm_name if there else _later(config) or "bare"
        instead = f', or give task_type="{there.farm_name}"' if there else ""
        raise ConfigError(
            f'"{name_or_path}" holds a {held} model ({architecture_of(config)}), no trained {wanted.farm_name} head; '
            f"build AdaptiveModel with LanguageModel.load and a new head{instead}",
            code="wrong-task-type",
            value=wanted.farm_name,
            file=name_or_path,
        )
    if wanted != LANGUAGE_MODELLING and config.model_type not in FAMILIES:
        raise ConfigError(
            f'classifiers of model type "{config.model_type}" cannot be converted; the types that can are '
            f"{', '.join(sorted(FAMILIES))}",
            code="model-type-not-convertible",
            value=config.model_type,
        )
    if there == REGRESSION and config.num_labels != 1:
        raise ConfigError(
            f'"{name_or_path}" gives {config.num_labels} numbers per row, and a RegressionHead gives one; '
            "models of several numbers cannot be converted",
            code="too-many-outputs",
            value=config.num_labels,
            file=name_or_path,
        )
    return there if wanted == CLASSIFICATION else wanted


def _asked_for(task_type: str) -> TaskSpec | None:
    known = [spec for spec in all_specs() if spec.transformers is not None]
    return next((spec for spec in known if task_type in {spec.farm_name, spec.head_type}), None)


def _later(config: PreTrainedConfig) -> str | None:
    architecture = architecture_of(config)
    return next((task for ending, task in _LATER_ENDINGS.items() if architecture.endswith(ending)), None)


def _fits(wanted: TaskSpec, there: TaskSpec, config: PreTrainedConfig) -> bool:
    undecided = there == CLASSIFICATION and config.problem_type is None
    return (
        wanted == there
        or (wanted == CLASSIFICATION and there in siblings(CLASSIFICATION))
        or (wanted == MULTILABEL_CLASSIFICATION and undecided)
    )

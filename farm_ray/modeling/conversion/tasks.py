"""Which task a transformers checkpoint was made for, and whether that is the one asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model.pooling import FAMILIES

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedConfig

TASKS = ("text_classification", "multilabel_text_classification", "regression", "ner", "lm")
"""Tasks with a head that can be converted, under FARM's names."""

_SEQUENCE_TASKS = TASKS[:3]
_LATER = ("question_answering",)
_ALIASES = {"token_classification": "ner", "language_modelling": "lm"}
_TASK_BY_ARCHITECTURE = {
    "MaskedLM": "lm",
    "PreTraining": "lm",
    "QuestionAnswering": "question_answering",
    "TokenClassification": "ner",
}
_SEQUENCE = "SequenceClassification"


def checked_task(name_or_path: str | Path, config: PreTrainedConfig, task_type: str | None) -> str:
    """The task of the checkpoint's head, one of `TASKS`.

    A classifier that does not say what it is for answers one label per row, or a number where it has one output;
    `multilabel_text_classification` makes it answer several. `text_classification` stands for all three of them.

    Args:
        name_or_path: Where the checkpoint is, for messages.
        config: Its configuration.
        task_type: What is asked for; None takes what is there.

    Raises:
        ConfigError: When the checkpoint holds no head for the task, or one that cannot be converted.
    """
    there = task_of(config)
    wanted = _ALIASES.get(task_type or "", task_type) or there
    if wanted in _LATER:
        raise ConfigError(f'conversion of "{wanted}" models ({name_or_path}) is not available yet in this version')
    if wanted is None:
        raise ConfigError(
            f'"{name_or_path}" ({_architecture(config) or "no architecture given"}) has no head; give '
            'task_type="embeddings", or train a head: LanguageModel.load and TextClassificationHead'
        )
    if wanted not in TASKS:
        raise ConfigError(f'unknown task_type "{wanted}"{nearest(wanted, (*TASKS, "embeddings"))}')
    if there is None or not _fits(wanted, there, config):
        raise ConfigError(
            f'"{name_or_path}" holds a {there or "bare"} model ({_architecture(config)}), no trained {wanted} head; '
            f"build AdaptiveModel with LanguageModel.load and a new head{_instead(there)}"
        )
    if wanted != "lm" and config.model_type not in FAMILIES:
        raise ConfigError(
            f'classifiers of model type "{config.model_type}" cannot be converted; the types that can are '
            f"{', '.join(sorted(FAMILIES))}"
        )
    if there == "regression" and config.num_labels != 1:
        raise ConfigError(
            f'"{name_or_path}" gives {config.num_labels} numbers per row, and a RegressionHead gives one; '
            "models of several numbers cannot be converted"
        )
    return there if wanted == "text_classification" else wanted


def task_of(config: PreTrainedConfig) -> str | None:
    """What the checkpoint's head is for, also where it cannot be converted; None without a head."""
    architecture = _architecture(config)
    if architecture.endswith(_SEQUENCE):
        if config.problem_type == "multi_label_classification":
            return "multilabel_text_classification"
        return "regression" if config.problem_type == "regression" or config.num_labels == 1 else "text_classification"
    return next((task for ending, task in _TASK_BY_ARCHITECTURE.items() if architecture.endswith(ending)), None)


def _fits(wanted: str, there: str, config: PreTrainedConfig) -> bool:
    undecided = there == "text_classification" and config.problem_type is None
    return (
        wanted == there
        or (wanted == "text_classification" and there in _SEQUENCE_TASKS)
        or (wanted == "multilabel_text_classification" and undecided)
    )


def _instead(there: str | None) -> str:
    return f', or give task_type="{there}"' if there in TASKS else ""


def _architecture(config: PreTrainedConfig) -> str:
    return (getattr(config, "architectures", None) or [""])[0]

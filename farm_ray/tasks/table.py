"""The kinds of tasks there are, to be found by any of their names. A kind of your own is added by `register_task`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.tasks.classification import CLASSIFICATION, OWN_LABELS
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.token_classification import TOKEN_CLASSIFICATION

if TYPE_CHECKING:
    from farm_ray.tasks.spec import TaskSpec

EMBEDDINGS = "embeddings"
"""What `Inferencer` calls vectors, which need no task."""
LATER = ("question_answering",)
"""Tasks of FARM that are not available yet."""

_OURS = (CLASSIFICATION, MULTILABEL_CLASSIFICATION, REGRESSION, TOKEN_CLASSIFICATION, LANGUAGE_MODELLING)
_specs: dict[str, TaskSpec] = {spec.name: spec for spec in _OURS}
"""By name. Grows by what users register in this process; `registrations` brings that to other ones."""


def register_task(spec: TaskSpec) -> None:
    """Makes a kind of task known in this process; a later call with the same name replaces it.

    Raises:
        ConfigError: When it has the name of a built-in kind, or one of its names is that of another kind.
    """
    if not spec.name or spec in _OURS:
        raise ConfigError(
            f'"{spec.name}" is a built-in kind of task; give yours another name', code="name-is-taken", value=spec.name
        )
    for known in _specs.values():
        if known.name != spec.name and {known.farm_name, known.head_type} & {spec.farm_name, spec.head_type}:
            raise ConfigError(
                f'the task "{spec.name}" has a name of the task "{known.name}" (farm_name, head_type); rename it',
                code="name-is-taken",
                value=spec.name,
            )
    _specs[spec.name] = spec


def registered_tasks() -> tuple[TaskSpec, ...]:
    """The kinds that users registered in this process."""
    return tuple(spec for spec in _specs.values() if spec not in _OURS)


def all_specs() -> tuple[TaskSpec, ...]:
    """All kinds that are known."""
    return tuple(_specs.values())


def spec_named(task_type: str | None, *, task_name: str) -> TaskSpec:
    """The kind of a processor's task.

    Args:
        task_type: Its name; None for labels that a processor of one's own converts in some way.
        task_name: The task, for messages.

    Raises:
        ConfigError: When there is no such kind.
    """
    if task_type is None:
        return OWN_LABELS
    if task_type not in _specs:
        raise ConfigError(
            f'task "{task_name}": unknown task_type "{task_type}"{nearest(task_type, list(_specs))}',
            code="unknown-task-type",
            task=task_name,
            value=task_type,
        )
    return _specs[task_type]


def spec_of_farm(farm_name: str) -> TaskSpec | None:
    """The kind that FARM calls so; None where there is none."""
    return next((spec for spec in _specs.values() if spec.farm_name == farm_name), None)


def spec_of_head(head_type: str) -> TaskSpec | None:
    """The kind that heads of this `model_type` answer; None where there is none."""
    return next((spec for spec in _specs.values() if spec.head_type == head_type), None)


def predicted_names() -> list[str]:
    """What can be predicted, as `Inferencer` calls it."""
    return [spec.farm_name for spec in _specs.values() if spec.answers is not None]

"""Which kind of task a checkpoint of transformers was made for, by its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.tasks.table import all_specs

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from farm_ray.tasks.spec import TaskSpec

_SEVERAL = "multi_label_classification"
_NUMBER = "regression"
"""Of transformers' names for what a sequence classifier is for, those that its outputs decide about."""


def spec_of_checkpoint(config: PreTrainedConfig) -> TaskSpec | None:
    """The kind of task that the checkpoint's head is for; None without a head that is known here."""
    architecture = architecture_of(config)
    fitting = [spec for spec in all_specs() if spec.transformers and architecture.endswith(spec.transformers.endings)]
    return spec_by_problem(fitting, config) if fitting else None


def spec_by_problem(fitting: list[TaskSpec], config: PreTrainedConfig) -> TaskSpec:
    """Of the kinds of tasks that one class of transformers is for the one that the configuration means.

    A classifier that does not say what it is for answers one label per row, or a number where it has one output.
    """
    problem: object = getattr(config, "problem_type", None)
    if problem != _SEVERAL and config.num_labels == 1:
        problem = _NUMBER
    return next(
        (spec for spec in fitting if spec.transformers and spec.transformers.problem_type == problem), fitting[0]
    )


def siblings(spec: TaskSpec) -> list[TaskSpec]:
    """The kinds of tasks that transformers has the same class for, this one among them."""
    return [
        other
        for other in all_specs()
        if other.transformers and spec.transformers and other.transformers.endings == spec.transformers.endings
    ]


def architecture_of(config: PreTrainedConfig) -> str:
    """The class that the checkpoint was saved from; empty where it does not say."""
    return str((getattr(config, "architectures", None) or [""])[0])

"""The task dict: the glue between a processor's labels and a prediction head."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

from farm_ray.configuration import nearest
from farm_ray.data_handler.problems import shorten
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Task = dict[str, Any]

LANGUAGE_MODELLING = "language_modelling"
"""Type of the task whose labels are the tokenizer's own ids: it has no label list."""

TASK_TYPES = (
    "classification",
    "multilabel_classification",
    "regression",
    "token_classification",
    LANGUAGE_MODELLING,
)


def make_task(
    name: str,
    *,
    metric: Any,
    label_list: Sequence[Any] | None,
    label_column_name: str | None = None,
    label_name: str | None = None,
    task_type: str | None = None,
    text_column_name: str | None = None,
) -> Task:
    """A checked task dict.

    A regression keeps mean and scale of its labels in the place of a label list. Without a list the task has an empty
    one: the training data will say.

    Keys: label_list, metric, label_tensor_name, label_name, label_column_name, text_column_name, task_type; and
    `multi_hot` where the training data say whether cells hold zeros and ones for the labels.

    Raises:
        ConfigError: On labels or a metric that are invalid.
    """
    _check_metric(name, metric)
    if task_type is not None and task_type not in TASK_TYPES:
        raise ConfigError(f'task "{name}": unknown task_type "{task_type}"{nearest(task_type, TASK_TYPES)}')
    label_name = label_name or f"{name}_label"
    return {
        "label_list": _label_list(name, label_list, task_type),
        "metric": metric,
        "label_tensor_name": f"{label_name}_ids",
        "label_name": label_name,
        "label_column_name": label_column_name,
        "text_column_name": text_column_name,
        "task_type": task_type,
    }


def check_names(name: str, task: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ConfigError when another task has the same label name."""
    for other, known in others.items():
        if other != name and known["label_name"] == task["label_name"]:
            raise ConfigError(f'tasks "{other}" and "{name}" both have label_name "{task["label_name"]}"; rename one')


def loaded_task(name: str, fields: Mapping[str, Any]) -> Task:
    """A task from a saved configuration; keys that no task has are left out."""
    fields = {**fields, **_of_language_model(name, fields)}
    task = make_task(
        name,
        metric=fields.get("metric"),
        label_list=fields.get("label_list") or None,
        label_column_name=fields.get("label_column_name"),
        label_name=fields.get("label_name"),
        task_type=fields.get("task_type"),
        text_column_name=fields.get("text_column_name"),
    )
    decided = {"multi_hot": fields["multi_hot"]} if isinstance(fields.get("multi_hot"), bool) else {}
    return task | {"label_tensor_name": fields.get("label_tensor_name") or task["label_tensor_name"], **decided}


def _of_language_model(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """FARM saved the vocabulary as labels of "lm", and named the labels of "nextsentence" the wrong way round."""
    given, labels = fields.get("task_type"), list(fields.get("label_list") or [])
    if name == "nextsentence" and labels == ["False", "True"]:
        return {"label_list": labels[::-1], "task_type": given or "classification"}
    tensor = fields.get("label_tensor_name")
    return {"task_type": LANGUAGE_MODELLING} if given is None and (name, tensor) == ("lm", "lm_label_ids") else {}


def _label_list(name: str, label_list: Any, task_type: str | None) -> list[Any]:
    if task_type == LANGUAGE_MODELLING or (label_list is None and task_type is not None):
        return []
    return _scaling(name, label_list) if task_type == "regression" else _checked(name, label_list, task_type)


def _scaling(name: str, label_list: Any) -> list[float]:
    given = [value for value in label_list or [] if value is not None]
    numbers = [float(value) for value in given if isinstance(value, Real) and math.isfinite(value)]
    if not given or (len(numbers) == len(given) == 2 and numbers[1] > 0):  # noqa: PLR2004 - mean and scale
        return numbers
    raise ConfigError(
        f'label_list of the regression "{name}" is {label_list!r}: it holds the mean and the scale (above 0) of its '
        "labels, or nothing where they are to be measured on the training data"
    )


def _checked(name: str, label_list: Any, task_type: str | None) -> list[str]:
    if isinstance(label_list, str) or not isinstance(label_list, list | tuple):
        raise ConfigError(
            f'label_list of task "{name}" must be a list of labels such as ["OTHER", "OFFENSE"], not '
            f"{shorten(repr(label_list))}"
        )
    labels = [_label(name, label) for label in label_list]
    several = task_type == "multilabel_classification"
    if len(labels) < (1 if several else 2):
        raise ConfigError(f'label_list of task "{name}" is {labels}: a classification needs at least two labels')
    twice = sorted({label for label in labels if labels.count(label) > 1}) if len(set(labels)) < len(labels) else []
    if twice:
        raise ConfigError(f'label_list of task "{name}" names {twice[0]!r} more than once; give each label once')
    with_comma = [label for label in labels if "," in label or not label]
    if several and with_comma:
        raise ConfigError(
            f'label {with_comma[0]!r} of task "{name}": with multilabel=True labels are joined by commas, so a label '
            "cannot be empty or hold a comma; rename it"
        )
    return labels


def _label(name: str, label: Any) -> str:
    if isinstance(label, bool) or label is None:
        raise ConfigError(
            f'label_list of task "{name}" holds {label!r}, not a text; YAML reads yes, no, on, off, true, false and '
            'null so: put the labels in quotes, for example ["yes", "no"]'
        )
    if isinstance(label, list | tuple | dict | set):
        raise ConfigError(f'label_list of task "{name}" holds {label!r}; a label is a text')
    return str(label)


def _check_metric(name: str, metric: Any) -> None:
    for one in _flat(metric):
        if not isinstance(one, str) and not callable(one):
            raise ConfigError(f'the metric of task "{name}" must be a name, a function or a list of them, not {one!r}')


def _flat(metric: Any) -> list[Any]:
    if metric is None:
        return []
    return [part for one in metric for part in _flat(one)] if isinstance(metric, list | tuple) else [metric]

"""Lists of label names, as users give them."""

from __future__ import annotations

from farm_ray.data_handler.problems import shorten
from farm_ray.errors import ConfigError


def checked_names(name: str, label_list: object, *, fewest: int) -> list[str]:
    """The labels of the task `name` as texts.

    Raises:
        ConfigError: When it is no list, holds something that is no label, a label twice, or too few.
    """
    if isinstance(label_list, str) or not isinstance(label_list, list | tuple):
        raise ConfigError(
            f'label_list of task "{name}" must be a list of labels such as ["OTHER", "OFFENSE"], not '
            f"{shorten(repr(label_list))}",
            code="invalid-value",
            option="label_list",
            task=name,
            value=label_list,
        )
    labels = [_label(name, label) for label in label_list]
    if len(labels) < fewest:
        raise ConfigError(
            f'label_list of task "{name}" is {labels}: a classification needs at least two labels',
            code="too-few-labels",
            task=name,
            value=labels,
        )
    twice = sorted({label for label in labels if labels.count(label) > 1}) if len(set(labels)) < len(labels) else []
    if twice:
        raise ConfigError(
            f'label_list of task "{name}" names {twice[0]!r} more than once; give each label once',
            code="repeated-label",
            task=name,
            value=twice[0],
        )
    return labels


def _label(name: str, label: object) -> str:
    if isinstance(label, bool) or label is None:
        raise ConfigError(
            f'label_list of task "{name}" holds {label!r}, not a text; YAML reads yes, no, on, off, true, false and '
            'null so: put the labels in quotes, for example ["yes", "no"]',
            code="invalid-value",
            option="label_list",
            task=name,
            value=label,
        )
    if isinstance(label, list | tuple | dict | set):
        raise ConfigError(
            f'label_list of task "{name}" holds {label!r}; a label is a text',
            code="invalid-value",
            option="label_list",
            task=name,
            value=label,
        )
    return str(label)

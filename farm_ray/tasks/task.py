"""One task of a processor: what its labels are called and where they stand, and the kind of task that it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from farm_ray.evaluation.metric import Metric
    from farm_ray.tasks.labels import Labels
    from farm_ray.tasks.spec import TaskSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Task(Mapping[str, Any]):
    """The glue between a processor's labels and a prediction head; also read as FARM's dict: `task["label_list"]`.

    Keys: label_list, metric, label_tensor_name, label_name, label_column_name, text_column_name, task_type; and
    `multi_hot` where the training data say whether cells hold zeros and ones for the labels.
    """

    spec: TaskSpec
    """The kind of task."""
    label_list: tuple[Any, ...] = ()
    """All labels, whose places are their ids; of a regression mean and scale. Empty: the training data will say."""
    metric: Metric | None
    """Name of a metric, a function `(preds, labels)`, or a list of both."""
    label_name: str
    """Key of the label in dicts."""
    label_tensor_name: str
    """Column of the label in samples and features."""
    label_column_name: str | None = None
    """The label's column in files."""
    text_column_name: str | None = None
    """The text's column in files; None takes the processor's."""
    multi_hot: bool | None = None
    """Whether cells hold zeros and ones by the labels' places; None where the training data were not asked."""

    @property
    def task_type(self) -> str | None:
        """The name of its kind; None for labels that a processor of one's own converts in some way."""
        return self.spec.name or None

    @property
    def labels(self) -> Labels:
        """What its labels are."""
        return self.spec.labels

    @property
    def column(self) -> str:
        """Where the labels stand, for messages."""
        return self.label_column_name or self.label_name

    def label_type(self) -> pa.DataType:
        """The Arrow type of the label column, a list per row."""
        return self.labels.arrow_type(self)

    def changed(self, **changes: Any) -> Task:
        """The task with other fields."""
        if "label_list" in changes:
            changes["label_list"] = tuple(changes["label_list"])
        return replace(self, **changes)

    def __getitem__(self, key: str) -> object:
        if key not in self._keys():
            raise KeyError(key)
        value = getattr(self, key)
        return list(value) if key == "label_list" else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())

    def _keys(self) -> list[str]:
        return [name for name in _KEYS if name != "multi_hot" or self.multi_hot is not None]


_KEYS = ("task_type", *(one.name for one in fields(Task) if one.name != "spec"))

Tasks = Mapping[str, Task]
"""By name."""


def make_task(
    name: str,
    *,
    spec: TaskSpec,
    metric: Metric | None,
    label_list: Sequence[object] | None,
    label_column_name: str | None = None,
    label_name: str | None = None,
    text_column_name: str | None = None,
    label_tensor_name: str | None = None,
    multi_hot: bool | None = None,
) -> Task:
    """A checked task.

    Raises:
        ConfigError: On labels or a metric that are invalid.
    """
    _check_metric(name, metric)
    label_name = label_name or f"{name}_label"
    return Task(
        spec=spec,
        label_list=tuple(spec.labels.label_list(name, label_list)),
        metric=metric,
        label_name=label_name,
        label_tensor_name=label_tensor_name or f"{label_name}_ids",
        label_column_name=label_column_name,
        text_column_name=text_column_name,
        multi_hot=multi_hot,
    )


def check_names(name: str, task: Task, others: Tasks) -> None:
    """Raises ConfigError when another task has the same label name."""
    for other, known in others.items():
        if other != name and known.label_name == task.label_name:
            raise ConfigError(
                f'tasks "{other}" and "{name}" both have label_name "{task.label_name}"; rename one',
                code="name-is-taken",
                option="label_name",
                value=task.label_name,
            )


def lacking_labels(tasks: Tasks) -> list[str]:
    """Names of the tasks whose labels are not known yet."""
    return [name for name, task in tasks.items() if task.labels.lacks_labels(task)]


def _check_metric(name: str, metric: Metric | None) -> None:
    for one in _flat(metric):
        if not isinstance(one, str) and not callable(one):
            raise ConfigError(
                f'the metric of task "{name}" must be a name, a function or a list of them, not {one!r}',
                code="invalid-value",
                option="metric",
                task=name,
                value=one,
            )


def _flat(metric: Metric | None) -> list[object]:
    if metric is None:
        return []
    return [part for one in metric for part in _flat(one)] if isinstance(metric, list | tuple) else [metric]

"""The metrics of tasks: checked before work starts, and written to files by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from farm_ray.evaluation.metric import Metric
    from farm_ray.tasks.task import Tasks


def check_metrics(tasks: Tasks) -> None:
    """Raises ConfigError on a task that has no metric, one that nobody knows, or a built-in one for other labels."""
    from farm_ray.evaluation.metrics import check_metric

    for name, task in tasks.items():
        if task.metric is None or task.metric == []:
            raise ConfigError(
                f'task "{name}" has no metric; give one, for example "acc" or "f1_macro"',
                code="missing-option",
                option="metric",
                task=name,
            )
        check_metric(task.metric, task.labels.trial(task.label_list))


def saved_tasks(tasks: Tasks) -> dict[str, dict[str, object]]:
    """The tasks as plain values for a JSON file: functions among the metrics become their registered names.

    Raises:
        ConfigError: On a function that has not been registered.
    """
    return {name: {**task, "metric": _saved(name, task.metric)} for name, task in tasks.items()}


def _saved(task: str, metric: Metric | None) -> object:
    if isinstance(metric, list | tuple):
        return [_saved(task, one) for one in metric]
    if metric is None or isinstance(metric, str):
        return metric
    from farm_ray.evaluation.metrics import metric_name

    registered = metric_name(metric)
    if registered is None:
        label = getattr(metric, "__name__", type(metric).__name__).strip("<>")
        raise ConfigError(
            f'the metric {label} of task "{task}" is a function without a name that can be saved; register it first: '
            f'farm_ray.evaluation.metrics.register_metrics("{label}", {label})',
            code="metric-without-name",
            task=task,
            value=label,
        )
    return registered

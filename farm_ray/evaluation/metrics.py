"""Metrics and reports by name: the built-in tables, what users register, and the functions that evaluators call.

A metric is a name, a function `fn(preds, labels)` that returns a dict of numbers or one number, or a (nested) list of
both. Registered names live in this process only: `resolve_metrics` turns names into functions that travel to workers.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.evaluation.classification import (
    acc_and_f1,
    classification_report,
    f1_macro,
    f1_micro,
    mcc,
    simple_accuracy,
)
from farm_ray.evaluation.columns import flat
from farm_ray.evaluation.metric import MetricFunction
from farm_ray.evaluation.multilabel import exact_match, f1_samples
from farm_ray.evaluation.regression import mse, pearson_and_spearman, r2, regression_report
from farm_ray.evaluation.tokens import seq_f1, seq_precision, seq_recall, tag_report, token_report
from farm_ray.tag_schemes import check_entity_tags

if TYPE_CHECKING:
    from farm_ray.evaluation.columns import Column
    from farm_ray.evaluation.metric import Metric
    from farm_ray.evaluation.results import HeadResult

__all__ = [
    "acc_and_f1",
    "check_metric",
    "classification_report",
    "compute_metrics",
    "compute_report_metrics",
    "exact_match",
    "f1_macro",
    "f1_micro",
    "f1_samples",
    "mcc",
    "mse",
    "pearson_and_spearman",
    "r2",
    "register_metrics",
    "register_report",
    "regression_report",
    "resolve_metrics",
    "seq_f1",
    "seq_precision",
    "seq_recall",
    "simple_accuracy",
    "token_report",
]

ReportFunction = MetricFunction


class Reported(Protocol):
    """What a report is made for: a prediction head."""

    @property
    def ph_output_type(self) -> str:
        """What the head answers."""

    @property
    def label_list(self) -> Any:
        """The names of its labels."""


METRICS: Mapping[str, MetricFunction] = {
    "acc": simple_accuracy,
    "acc_f1": acc_and_f1,
    "exact_match": exact_match,
    "f1_macro": f1_macro,
    "f1_micro": f1_micro,
    "f1_samples": f1_samples,
    "mcc": mcc,
    "mse": mse,
    "pear_spear": pearson_and_spearman,
    "r2": r2,
    "seq_f1": seq_f1,
    "seq_precision": seq_precision,
    "seq_recall": seq_recall,
}
"""The built-in metrics."""

_OF_ENTITIES: Mapping[MetricFunction, str] = {
    seq_f1: "seq_f1",
    seq_precision: "seq_precision",
    seq_recall: "seq_recall",
}

_REPORTS: Mapping[str, Callable[[Reported, Column, Column], str]] = {
    "per_sequence": lambda head, preds, labels: classification_report(preds, labels, head.label_list),
    "per_sequence_continuous": lambda _, preds, labels: regression_report(preds, labels),
    "per_token": lambda head, preds, labels: tag_report(preds, labels, head.label_list),
}
"""By a head's output type."""

_registered_metrics: dict[str, _Named] = {}
_registered_reports: dict[str, ReportFunction] = {}


class _Named:
    """A registered function together with the name its bare number is reported under."""

    def __init__(self, name: str, fn: MetricFunction) -> None:
        self.__name__ = name
        self.fn = fn

    def __call__(self, preds: object, labels: object) -> object:
        return self.fn(preds, labels)


def register_metrics(name: str, fn: MetricFunction) -> None:
    """Makes `name` a metric; a later call with the same name replaces the function.

    Args:
        name: The name to give to a processor as `metric`.
        fn: `fn(preds, labels)`, which returns a dict of numbers, or one number (then reported under `name`).

    Raises:
        ConfigError: When the name is a built-in one, or `fn` cannot be called with two columns.
    """
    if name in METRICS:
        raise ConfigError(
            f'"{name}" is a built-in metric; register the function under another name', code="name-is-taken", value=name
        )
    _check_function(fn, f'the metric "{name}"')
    _registered_metrics[name] = _Named(name, fn)


def register_report(ph_output_type: str, fn: ReportFunction) -> None:
    """Makes `fn(preds, labels)` the report of heads with this output type, in place of the built-in one.

    Raises:
        ConfigError: When `fn` cannot be called with two columns.
    """
    _check_function(fn, f'the report for "{ph_output_type}"')
    _registered_reports[ph_output_type] = fn


def registered_metrics() -> dict[str, MetricFunction]:
    """The functions that were registered as metrics in this process, by name."""
    return {name: named.fn for name, named in _registered_metrics.items()}


def registered_reports() -> dict[str, ReportFunction]:
    """The functions that were registered as reports in this process, by output type."""
    return {**_registered_reports}


def metric_name(fn: Callable[..., object]) -> str | None:
    """The name under which this function is built in or registered, None where it is neither."""
    known = [*METRICS.items(), *registered_metrics().items(), *_registered_metrics.items()]
    return next((name for name, known_as in known if known_as == fn), None)


def resolve_metrics(metric: Metric | None) -> list[MetricFunction]:
    """The functions a metric stands for, in order: names looked up, nested lists flattened, duplicates dropped.

    Raises:
        ConfigError: On an unknown name (the nearest and the known ones are named) or something that is no metric.
    """
    if isinstance(metric, list | tuple):
        found: list[MetricFunction] = []
        for part in metric:
            found += [fn for fn in resolve_metrics(part) if fn not in found]
        return found
    if isinstance(metric, str):
        if metric in METRICS:
            return [METRICS[metric]]
        if metric in _registered_metrics:
            return [_registered_metrics[metric]]
        known = sorted([*METRICS, *_registered_metrics])
        hint = nearest(metric, known)
        more = "" if "known are" in hint else f" Known are: {', '.join(known)}"
        raise ConfigError(
            f'unknown metric "{metric}"{hint}{more}; add your own with register_metrics',
            code="unknown-metric",
            value=metric,
        )
    if not callable(metric):
        raise ConfigError(
            f"a metric is a name, a function (preds, labels) or a list of them, not {metric!r}",
            code="invalid-value",
            option="metric",
            value=metric,
        )
    _check_function(metric, f"the metric {_name(metric)}")
    return [metric]


def check_metric(metric: Metric | None, label_list: Sequence[str] = ()) -> None:
    """Finds a wrong metric before any work is done.

    Args:
        metric: As for `resolve_metrics`.
        label_list: The labels it will be computed on; built-in metrics are tried on them.

    Raises:
        ConfigError: As `resolve_metrics`; also for a function that does not take predictions and labels, and for a
            built-in metric that does not work with such labels, or that means nothing for them: entities of tags
            without `O`.
    """
    for fn in resolve_metrics(metric):
        if len(label_list) and fn in METRICS.values():
            fn(label_list, label_list)
            if fn in _OF_ENTITIES:
                check_entity_tags(flat(label_list), metric=_OF_ENTITIES[fn])


def reported_names(metric: Metric | None, label_list: Sequence[str]) -> tuple[list[str], bool]:
    """The names of the values that a metric gives for these labels, and whether these must be all.

    Every function is tried on one row per label. What a user's own one raises there, or the names it chooses, need not
    be the same for other rows: then there may be more.
    """
    names: list[str] = []
    all_known = True
    for fn in resolve_metrics(metric):
        try:
            result = fn(label_list, label_list)
            names += _as_dict(fn, result)
        except Exception:  # noqa: BLE001 - a user's function, on rows it was not made for
            all_known = False
        else:
            all_known = all_known and (fn in METRICS.values() or not isinstance(result, Mapping))
    return names, all_known


def compute_metrics(metric: Metric | None, preds: Column, labels: Column) -> HeadResult:
    """All values of a metric, or of a (nested) list of metrics, in one dict.

    Args:
        metric: A name, a function `fn(preds, labels)`, or a (nested) list of them.
        preds: Predictions, one entry per row: label names, numbers, lists of tags, or multi-hot numbers [rows, labels].
        labels: True values, in the same form and order.

    Raises:
        AssertionError: When `preds` and `labels` have different lengths.
        ConfigError: On an unknown metric, one that returns no number, or two that give one name different values.
    """
    functions = resolve_metrics(metric)
    if len(preds) != len(labels):
        raise AssertionError(f"{len(preds)} predictions but {len(labels)} labels; a metric needs one label for each")
    values: HeadResult = {}
    for fn in functions:
        for key, value in _as_dict(fn, fn(preds, labels)).items():
            if key in values and not _same(values[key], value):
                raise ConfigError(
                    f'two metrics report "{key}" with different values; rename one of their results',
                    code="metrics-disagree",
                    value=key,
                )
            values[key] = value
    return values


def compute_report_metrics(head: Reported, preds: Column, labels: Column) -> Any:
    """The report of a prediction head, by its `ph_output_type`; reads the head's `label_list` too.

    Raises:
        ConfigError: When there is no report for heads of this output type.
    """
    output_type = head.ph_output_type
    if output_type in _registered_reports:
        return _registered_reports[output_type](preds, labels)
    if output_type in _REPORTS:
        return _REPORTS[output_type](head, preds, labels)
    known = [*_REPORTS, *_registered_reports]
    way_out = f'add one with register_report("{output_type}", fn)'
    raise ConfigError(
        f'no report for heads with output type "{output_type}"{nearest(output_type, known)}; {way_out}',
        code="unknown-report",
        value=output_type,
    )


def _check_function(fn: object, what: str) -> None:
    if not callable(fn):
        raise ConfigError(
            f"{what} must be a function (preds, labels), not {fn!r}", code="invalid-value", option=what, value=fn
        )
    try:
        signature = inspect.signature(fn)
    except ValueError:  # a C function without a signature
        return
    try:
        signature.bind([], [])
    except TypeError as error:
        raise ConfigError(
            f"{what} must take (preds, labels), but takes {signature}: {error}", code="wrong-signature", value=fn
        ) from None


def _name(fn: MetricFunction) -> str:
    return str(getattr(fn, "__name__", None) or getattr(getattr(fn, "func", fn), "__name__", type(fn).__name__))


def _as_dict(fn: MetricFunction, result: object) -> dict[str, object]:
    if isinstance(result, Mapping):
        return {str(key): _plain(value) for key, value in result.items()}
    number = _plain(result)
    if isinstance(number, int | float):
        return {_name(fn): number}
    raise ConfigError(
        f"the metric {_name(fn)} returned {type(result).__name__}; it must return a dict or a number",
        code="wrong-metric-result",
        value=type(result).__name__,
    )


def _plain(value: object) -> Any:
    if isinstance(value, np.generic) or (hasattr(value, "item") and getattr(value, "ndim", None) == 0):
        return value.item()
    return value


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(left) and math.isnan(right))
    return left is right or bool(np.array_equal(left, right))

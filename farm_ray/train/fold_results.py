"""What the folds of a cross-validation came to: each by itself, on average, and all their predictions as one."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from farm_ray.evaluation.bootstrap import bootstrap_interval
from farm_ray.evaluation.metrics import compute_metrics, compute_report_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.evaluation.results import HeadResult
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.plain import PlainMapping


class Spread(NamedTuple):
    """A value over the folds that have it."""

    mean: float
    std: float
    """Sample standard deviation (over n - 1); 0 for one fold."""


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """One fold, trained and tested."""

    fold: int
    """Its number, from 1."""
    rows: dict[str, int]
    """Feature rows in train, dev and test: windows of a long text count each."""
    dev: list[HeadResult] | None
    """The last dev evaluation of the fold's model; None without a dev set."""
    test: list[HeadResult]
    steps: int
    """Optimizer steps."""
    order_hash: str
    """Which rows each step used."""
    seconds: float
    """Wall time of the fold: model, training, evaluations."""
    ids: list[str] = field(repr=False)
    """Of the tested source rows, [n]."""
    predictions: list[list[object]] = field(repr=False)
    """Per head, [n] each; labels likewise."""
    labels: list[list[object]] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """All folds."""

    folds: list[FoldResult]
    metrics: dict[str, dict[str, dict[str, Spread]]]
    """Set (dev, test) -> task -> value -> mean and standard deviation over the folds."""
    pooled: dict[str, dict[str, float]]
    """Task -> metric, computed once over the test predictions of all folds; empty where rows were tested more than
    once, as in nested cross-validation and repeated hold-outs."""
    intervals: dict[str, dict[str, tuple[float, float]]]
    """Task -> metric -> bootstrap interval of the pooled value: how much it depends on which rows there are. How much
    models differ that are trained on other rows it does not tell."""
    reports: dict[str, str]
    """Task -> text report over all predictions; as `pooled`."""
    predictions: pa.Table
    """A row per tested source row: id, fold, prediction, label; with several tasks `{task}_prediction` and
    `{task}_label` for each."""


def gathered(
    folds: Sequence[FoldResult],
    heads: Sequence[PredictionHead],
    *,
    tested_once: bool,
    report: bool,
    bootstrap_samples: int,
    confidence: float,
) -> CrossValidation:
    """The folds as one result.

    Args:
        folds: In order.
        heads: Of a model connected with the processor: they know metrics and labels.
        tested_once: Whether no row is in two test sets.
        report: Whether to make the text reports.
        bootstrap_samples: Resamples for the intervals; 0 makes none.
        confidence: Of the intervals.
    """
    pooled, intervals, reports = {}, {}, {}
    for number, head in enumerate(heads if tested_once else ()):
        task, predictions = head.task_name, [value for fold in folds for value in fold.predictions[number]]
        labels = [value for fold in folds for value in fold.labels[number]]
        pooled[task] = _numbers(compute_metrics(head.metric, predictions, labels))
        if bootstrap_samples:
            intervals[task] = bootstrap_interval(
                head.metric, predictions, labels, samples=bootstrap_samples, confidence=confidence
            )
        if report:
            reports[task] = compute_report_metrics(head, predictions, labels)
    sets: dict[str, list[list[HeadResult] | None]] = {
        "dev": [fold.dev for fold in folds],
        "test": [fold.test for fold in folds],
    }
    return CrossValidation(
        folds=list(folds),
        metrics={name: _spreads(results) for name, results in sets.items() if any(results)},
        pooled=pooled,
        intervals=intervals,
        reports=reports,
        predictions=_table(folds, [head.task_name for head in heads]),
    )


def numbers_per_task(results: list[HeadResult]) -> dict[str, dict[str, float]]:
    """Task -> value, without reports."""
    return {str(head["task_name"]): _numbers(head) for head in results}


def _numbers(values: PlainMapping) -> dict[str, float]:
    """The numbers among the values; other processes may have given numpy's."""
    kinds = int | float | np.number
    return {name: float(v) for name, v in values.items() if isinstance(v, kinds) and not isinstance(v, bool)}


def _spreads(results: Sequence[list[HeadResult] | None]) -> dict[str, dict[str, Spread]]:
    found: dict[str, dict[str, list[float]]] = {}
    for one in results:
        for task, numbers in numbers_per_task(one or []).items():
            for name, value in numbers.items():
                found.setdefault(task, {}).setdefault(name, []).append(value)
    return {task: {name: _spread(values) for name, values in named.items()} for task, named in found.items()}


def _spread(values: list[float]) -> Spread:
    if not all(map(math.isfinite, values)):
        return Spread(math.nan, math.nan)
    return Spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0)


def _table(folds: Sequence[FoldResult], tasks: Sequence[str]) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "id": pa.array([row_id for fold in folds for row_id in fold.ids], pa.string()),
        "fold": pa.array(np.repeat([fold.fold for fold in folds], [len(fold.ids) for fold in folds]), pa.int32()),
    }
    for number, task in enumerate(tasks):
        prefix = "" if len(tasks) == 1 else f"{task}_"
        columns[f"{prefix}prediction"] = pa.array([value for fold in folds for value in fold.predictions[number]])
        columns[f"{prefix}label"] = pa.array([value for fold in folds for value in fold.labels[number]])
    return pa.table(columns)

"""How sure a metric is: percentile intervals over resampled rows (Efron 1979)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.evaluation.metrics import compute_metrics, resolve_metrics
from farm_ray.evaluation.weighted import Weighted, weighted
from farm_ray.reproducibility import random_bits

if TYPE_CHECKING:
    from farm_ray.evaluation.columns import Column
    from farm_ray.evaluation.metric import Metric, MetricFunction

_STREAM = 16


def bootstrap_interval(
    metric: Metric | None,
    preds: Column,
    labels: Column,
    *,
    name: str | None = None,
    samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 42,
) -> dict[str, tuple[float, float]]:
    """The interval of each value of a metric, from its values on rows drawn with replacement.

    A row is drawn with all that belongs to it, as the tags of its words. Resamples for which a value is undefined, or
    where a metric of one's own fails, do not count; when none is left the interval is (NaN, NaN).

    Args:
        metric: As for `compute_metrics`; the built-in ones are fast, others are computed again for every resample.
        preds: Predictions, one entry per row.
        labels: True values, in the same form and order.
        name: Only this value of the metric; None gives all.
        samples: How many resamples.
        confidence: Share of the resamples' values that lie in the interval, between 0 and 1.
        seed: Which rows are drawn, on every machine the same.

    Returns:
        Name of a value -> lowest and highest of the interval.

    Raises:
        AssertionError: When the columns have different lengths.
        ConfigError: As for `compute_metrics`; also on a name the metric does not give, or numbers out of range.
    """
    if samples < 1 or not 0 < confidence < 1:
        raise ConfigError(
            f"bootstrap: samples={samples} must be 1 or more, confidence={confidence} between 0 and 1",
            code="invalid-value",
            samples=samples,
            confidence=confidence,
        )
    on_all_rows = compute_metrics(metric, preds, labels)
    names = [key for key, value in on_all_rows.items() if isinstance(value, int | float)]
    if name is not None and name not in names:
        raise ConfigError(
            f'bootstrap: the metric gives no value "{name}"{nearest(name, names)}', code="unknown-metric", value=name
        )
    values = {key: np.full(samples, np.nan) for key in names if name in (None, key)}
    if not len(labels):
        return {key: (float("nan"), float("nan")) for key in values}
    functions = [weighted(fn, preds, labels) or _resampled(fn, preds, labels) for fn in resolve_metrics(metric)]
    for sample in range(samples):
        weights = _drawn(len(labels), sample, seed=seed)
        found = {key: value for function in functions for key, value in function(weights).items()}
        for key, drawn in values.items():
            drawn[sample] = found.get(key, np.nan)
    return {key: _interval(drawn, confidence) for key, drawn in values.items()}


def _drawn(rows: int, sample: int, *, seed: int) -> npt.NDArray[np.float64]:
    """How often each row is in a resample, [rows]."""
    bits = random_bits(seed, sample, np.arange(rows, dtype=np.uint64), stream=_STREAM)
    return np.bincount((bits % np.uint64(rows)).astype(np.int64), minlength=rows).astype(np.float64)


def _resampled(fn: MetricFunction, preds: Column, labels: Column) -> Weighted:
    """Any metric as a function of weights."""

    def of(weights: npt.NDArray[np.float64]) -> dict[str, float]:
        rows = np.repeat(np.arange(len(weights)), weights.astype(np.int64))
        try:
            return compute_metrics(fn, _take(preds, rows), _take(labels, rows))
        except Exception:  # noqa: BLE001 - a user's function, which worked on all rows
            return {}

    return of


def _take(column: Column, rows: npt.NDArray[np.int64]) -> Column:
    return column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows.tolist()]


def _interval(values: npt.NDArray[np.float64], confidence: float) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)

"""Metrics and reports: pure functions of columns of predictions and labels. Needs no torch."""

from farm_ray.evaluation.bootstrap import bootstrap_interval
from farm_ray.evaluation.metrics import (
    check_metric,
    compute_metrics,
    compute_report_metrics,
    register_metrics,
    register_report,
    resolve_metrics,
)

__all__ = [
    "bootstrap_interval",
    "check_metric",
    "compute_metrics",
    "compute_report_metrics",
    "register_metrics",
    "register_report",
    "resolve_metrics",
]

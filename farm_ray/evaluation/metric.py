"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MetricFunction = Callable[[Any, Any], Any]
"""`fn(preds, labels)`: a number, or numbers by name. What rows hold only the function knows."""

Metric = str | MetricFunction | list["Metric"] | tuple["Metric", ...]
"""The name of a metric, a function, or a (nested) list of both."""

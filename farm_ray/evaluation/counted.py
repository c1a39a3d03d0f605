"""What a head says about rows whose loss is a mean over units, such as predicted tokens: flat arrays, no row objects.

Shapes: n rows, U units of all rows together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from farm_ray.evaluation.metrics import compute_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.evaluation.metric import Metric
    from farm_ray.evaluation.results import HeadResult

Array = npt.NDArray[Any]


@dataclass
class CountedColumns:
    """The columns of the rows seen so far, a piece per batch."""

    positions: list[Array] = field(default_factory=list)
    """Of each row in the data set, int64 [n]."""
    losses: list[Array] = field(default_factory=list)
    """The sum over each row's units, float64 [n]."""
    units: list[Array] = field(default_factory=list)
    """How many units each row has, int64 [n]."""
    predictions: list[Array] = field(default_factory=list)
    """Of each unit, int32 [U]."""
    labels: list[Array] = field(default_factory=list)
    """Of each unit, int32 [U]."""

    def add(
        self, positions: Array, losses: Array, predictions: Sequence[Array], labels: Sequence[Array], units: Array
    ) -> None:
        """Takes in a batch; predictions and labels are one array per row."""
        self.positions.append(positions)
        self.losses.append(losses.astype(np.float64))
        self.units.append(units.astype(np.int64))
        self.predictions.append(np.concatenate([np.zeros(0, np.int32), *predictions]))
        self.labels.append(np.concatenate([np.zeros(0, np.int32), *labels]))

    @classmethod
    def joined(cls, parts: Sequence[CountedColumns]) -> CountedColumns:
        """The columns of several ranks as one piece, in row order."""
        positions, losses, units = (_whole(parts, name) for name in ("positions", "losses", "units"))
        predictions, labels = (_whole(parts, name) for name in ("predictions", "labels"))
        order = np.argsort(positions, kind="stable")
        starts = np.cumsum(units) - units
        # Where each unit of the ordered rows stands now.
        ordered = units[order]
        within = np.arange(ordered.sum()) - np.repeat(np.cumsum(ordered) - ordered, ordered)
        places = np.repeat(starts[order], ordered) + within
        return cls([positions[order]], [losses[order]], [ordered], [predictions[places]], [labels[places]])

    def results(self, metric: Metric | None, *, report: bool, with_columns: bool) -> HeadResult:
        """`loss`, the mean over all units, `perplexity`, the metric's values, and what else is asked for.

        With columns there are `preds` and `labels`, an array per row. Without any unit the numbers are NaN.
        """
        units, predictions, labels = (_whole([self], name) for name in ("units", "predictions", "labels"))
        total = int(units.sum())
        loss = float(_whole([self], "losses").sum() / total) if total else float("nan")
        with np.errstate(over="ignore"):
            results: HeadResult = {"loss": loss, "perplexity": float(np.exp(loss))}
        results |= compute_metrics(metric, predictions, labels)
        if report:
            right = int((predictions == labels).sum())
            results["report"] = (
                f"{right} of {total} predicted tokens are right, in {len(units)} rows; perplexity "
                f"{results['perplexity']:.4f}"
            )
        if with_columns:
            borders = np.cumsum(units)[:-1]
            results |= {"preds": np.split(predictions, borders), "labels": np.split(labels, borders)}
        return results


def _whole(parts: Sequence[CountedColumns], name: str) -> Array:
    """A column of all parts in one piece."""
    pieces = [piece for part in parts for piece in getattr(part, name)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)

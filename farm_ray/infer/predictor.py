"""What one process does: a table of dicts in, one prediction per row out. No ray here, so it runs anywhere.

B rows in a batch, n sound rows in a table, C labels of a head.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from farm_ray.data_handler import problems
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.samples import EXTERNAL_ID
from farm_ray.infer.predictions import Predictions
from farm_ray.modeling.optimization.precision import Precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.prediction_head import PredictionHead

STAGE = "predict"
"""The `stage` of problems that only the model can show."""


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A model and the arrows that feed it. Picklable: an actor gets it whole."""

    model: AdaptiveModel
    processor: Processor
    """Frozen and in inference mode."""
    batch_size: int
    """Rows per forward pass; changes the speed, not the predictions."""
    device: str = "cpu"
    use_amp: str | None = None
    """None computes in float32."""

    def predict(self, dicts: pa.Table) -> Predictions:
        """Predictions for a table with id, text and problem: the same rows in the same order.

        Rows are computed longest first, so that little is padded and a batch that does not fit fails at once.
        """
        features = self.processor.featurize(dicts)
        rows = np.flatnonzero(problems.sound(features).to_numpy(zero_copy_only=False))
        multiple = 1 if self.device == "cpu" else 8
        sound = FeatureSet(table=features, rows=rows, padding=self.processor.padding(), pad_to_multiple_of=multiple)
        logits = self._logits(sound)
        finite = np.ones(len(rows), np.bool_)
        for values in logits:
            finite &= np.isfinite(values).all(axis=1)
        columns = {
            "id": _shown_ids(dicts),
            "text": dicts.column("text"),
            "clipped": features.column("clipped"),
            problems.COLUMN: _add_not_finite(features, rows[~finite]),
        }
        return Predictions(
            table=pa.table(columns),
            rows=rows[finite],
            heads=self.heads,
            logits=[values[finite] for values in logits],
        )

    @property
    def heads(self) -> list[PredictionHead]:
        """The model's prediction heads, in order."""
        return list(self.model.prediction_heads)  # type: ignore[arg-type]

    def on(self, device: str) -> Predictor:
        """The same predictor with its model moved to `device`."""
        self.model.to(torch.device(device))
        return replace(self, device=device)

    def _logits(self, features: FeatureSet) -> list[npt.NDArray[np.float32]]:
        """Logits per head, float32 [n, C], in the order of `features`."""
        order = np.argsort(-features.lengths, kind="stable")
        outputs: list[list[torch.Tensor]] = [[] for _ in self.heads]
        precision = Precision.resolve(self.use_amp, self.device)
        with _evaluating(self.model), torch.inference_mode(), precision.autocast():
            for start in range(0, len(order), self.batch_size):
                batch = features.batch(order[start : start + self.batch_size])
                moved = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
                for parts, logits in zip(outputs, self.model(**moved), strict=True):
                    parts.append(logits)
        return [_in_order(parts, order, width=head.num_labels) for parts, head in zip(outputs, self.heads, strict=True)]


def _shown_ids(dicts: pa.Table) -> pa.ChunkedArray:
    """The ids that rows bring along, else where they stand, string [N]."""
    ids = dicts.column("id")
    return pc.coalesce(dicts.column(EXTERNAL_ID), ids) if EXTERNAL_ID in dicts.column_names else ids


def _in_order(parts: list[torch.Tensor], order: npt.NDArray[np.int64], *, width: int) -> npt.NDArray[np.float32]:
    logits = np.zeros((len(order), width), np.float32)
    if parts:
        logits[order] = torch.cat(parts).float().cpu().numpy()
    return logits


@contextlib.contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Dropout off; a model that was training goes on training afterwards."""
    was_training = model.training
    if was_training:
        model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()


def _add_not_finite(features: pa.Table, rows: npt.NDArray[np.int64]) -> pa.Array:
    """The `problem` column, with one more entry for each row whose logits are no numbers."""
    earlier = problems.of(features)
    if not len(rows):
        return earlier
    message = "the model's output is not a finite number; its weights or the precision (use_amp) are at fault"
    found: list[problems.Problem | None] = [None] * features.num_rows
    for row in rows.tolist():
        row_id = features.column("id")[row].as_py()
        found[row] = problems.at(row_id, stage=STAGE, kind="not finite", message=f"{row_id}: {message}")
    return problems.first_of_each(earlier, found)

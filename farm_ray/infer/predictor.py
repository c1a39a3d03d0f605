"""What one process does: a table of dicts in, one prediction or vector per row out. No ray here, so it runs anywhere.

N rows in a table of dicts, F rows of features (a long text may have several), n sound rows, C labels of a head.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from farm_ray.data_handler import problems
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.bounds import Bounds, mark_beyond
from farm_ray.data_handler.sample_columns import EXTERNAL_ID
from farm_ray.devices import explaining
from farm_ray.infer import windows
from farm_ray.infer.predictions import Predictions
from farm_ray.infer.rows import TEXTS
from farm_ray.infer.vectors import Vectors
from farm_ray.modeling.language_model.extraction import Extraction, vector_extractor
from farm_ray.modeling.optimization.precision import Precision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.prediction_head import PredictionHead

STAGE = "predict"
"""The `stage` of problems that only the model can show."""

_ROWS_AT_ONCE = 10_000
_ROWS_AT_ONCE_PER_TOKEN = 128

Values = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A model and the stages that feed it. Picklable: an actor gets it whole."""

    model: AdaptiveModel
    processor: Processor
    """Frozen and in inference mode."""
    batch_size: int
    """Rows per forward pass; changes the speed, not the predictions."""
    device: str = "cpu"
    """Of this process."""
    gpu_on_ray: bool = False
    """Actors are to have a GPU each, whatever this process has."""
    use_amp: str | None = None
    """None computes in float32."""
    extraction: Extraction | None = None
    """Vectors to take instead of the heads' predictions."""

    def predict(self, dicts: pa.Table) -> Predictions | Vectors:
        """The answers for a table with id, text and problem: the same rows in the same order.

        Rows are computed longest first, so that little is padded and a batch that does not fit fails at once.
        """
        features = self._features(dicts)
        inputs_F = windows.inputs_of(features)
        sound = np.flatnonzero(problems.sound(features.table).to_numpy(zero_copy_only=False))
        inputs = inputs_F[sound]
        outputs = zip(self._joins(), self._outputs(features.subset(sound)), strict=True)
        answers = [join(of_rows, inputs) for join, of_rows in outputs]
        rows = inputs[windows.first_windows(inputs)]
        finite = _all_finite(answers, len(rows))
        answers = [list(itertools.compress(of_inputs, finite)) for of_inputs in answers]
        table = self._table(dicts, features.table, inputs_F, not_finite=rows[~finite])
        if self.extraction is not None:
            return Vectors(table=table, rows=rows[finite], vectors=answers[0], per_token=self._per_token)
        return Predictions(table=table, rows=rows[finite], heads=self.heads, logits=answers)

    @property
    def bounds(self) -> Bounds:
        """What the language model has embeddings for."""
        return Bounds.of(self.model.language_model)

    @property
    def heads(self) -> list[PredictionHead]:
        """The model's prediction heads, in order."""
        return list(self.model.prediction_heads)

    @property
    def answers_type(self) -> type[Predictions | Vectors]:
        """What `predict` gives."""
        return Predictions if self.extraction is None else Vectors

    @property
    def rows_at_once(self) -> int:
        """Rows to sort by length and compute together; few enough that their answers fit into memory."""
        return _ROWS_AT_ONCE_PER_TOKEN if self._per_token else _ROWS_AT_ONCE

    def on(self, device: str) -> Predictor:
        """The same predictor with its model moved to `device`."""
        self.model.to(torch.device(device))
        return replace(self, device=device)

    @property
    def _per_token(self) -> bool:
        return self.extraction is not None and self.extraction.strategy == "per_token"

    def _features(self, dicts: pa.Table) -> FeatureSet:
        """All feature rows, [F], those with problems too."""
        features = mark_beyond(self.processor.featurize(dicts), self.bounds)
        return FeatureSet(
            table=features,
            rows=np.arange(features.num_rows),
            padding=self.processor.padding(),
            pad_to_multiple_of=1 if self.device == "cpu" else 8,
        )

    def _joins(self) -> list[windows.Join]:
        """Per output how the answers for the windows of an input become one."""
        if self.extraction is not None:
            return [windows.of_first_windows]
        return [windows.of_all_windows if _on_words(head) else windows.of_first_windows for head in self.heads]

    def _outputs(self, features: FeatureSet) -> list[list[Values]]:
        """Per output one array for each row of `features`, in their order."""
        order = np.argsort(-features.lengths, kind="stable")
        nothing = np.zeros(0, np.float32)
        outputs: list[list[Values]] = [[nothing] * len(features) for _ in self._joins()]
        if not len(features):
            return outputs
        precision = Precision.resolve(self.use_amp, self.device)
        with explaining(), _evaluating(self.model), torch.inference_mode(), precision.autocast():
            answer = self._answerer()
            for start in range(0, len(order), self.batch_size):
                places = order[start : start + self.batch_size]
                batch = features.batch(places)
                moved = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
                for output, of_rows in zip(outputs, answer(**moved), strict=True):
                    for place, of_row in zip(places.tolist(), of_rows, strict=True):
                        output[place] = of_row
        return outputs

    def _answerer(self) -> Callable[..., list[list[Values]]]:
        """A function that takes a batch and gives per output one array for each row."""
        if self.extraction is None:
            return self._logits
        extract = vector_extractor(self.model.language_model, self.extraction)
        return lambda **batch: [extract(**batch)]

    def _logits(self, **batch: torch.Tensor) -> list[list[Values]]:
        each = zip(self.heads, self.model(**batch), strict=True)
        return [head.logits_per_row(logits, **batch) for head, logits in each]

    def _table(self, dicts: pa.Table, features: pa.Table, inputs_F: Positions, *, not_finite: Positions) -> pa.Table:
        """What is known about each input beside its answer: id, its texts, clipped, problem, [N]."""
        starts = windows.first_windows(inputs_F)
        assert len(starts) == dicts.num_rows, "every row of dicts has a row of features"
        columns = {
            "id": _shown_ids(dicts),
            **{name: dicts.column(name) for name in TEXTS if name in dicts.column_names},
        }
        clipped_F = features.column("clipped").to_numpy()
        clipped = np.logical_or.reduceat(clipped_F, starts) if len(starts) else clipped_F
        if not all(join is windows.of_all_windows for join in self._joins()):
            clipped = clipped | (np.bincount(inputs_F, minlength=len(starts)) > 1)
        columns["clipped"] = pa.array(clipped)
        found = problems.of(features).take(pa.array(starts))
        columns[problems.COLUMN] = _add_not_finite(found, dicts.column("id"), not_finite)
        return pa.table(columns)


def _on_words(head: PredictionHead) -> bool:
    return head.ph_output_type == "per_token"


def _all_finite(answers: Sequence[Sequence[Values]], rows: int) -> npt.NDArray[np.bool_]:
    """Whether all outputs are numbers, [rows]."""
    finite = np.ones(rows, np.bool_)
    for of_inputs in answers:
        finite &= np.fromiter((np.isfinite(values).all() for values in of_inputs), np.bool_, rows)
    return finite


def _shown_ids(dicts: pa.Table) -> pa.ChunkedArray:
    """The ids that rows bring along, else where they stand, string [N]."""
    ids = dicts.column("id")
    return pc.coalesce(dicts.column(EXTERNAL_ID), ids) if EXTERNAL_ID in dicts.column_names else ids


@contextlib.contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Dropout off; what was training, maybe a part only, goes on training afterwards."""
    training = [module for module in model.modules() if module.training]
    if training:
        model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _add_not_finite(earlier: pa.Array, ids: pa.ChunkedArray, rows: Positions) -> pa.Array:
    """The `problem` column, with one more entry for each row whose answer is no number."""
    if not len(rows):
        return earlier
    message = "the model's output is not a finite number; its weights or the precision (use_amp) are at fault"
    found: list[problems.Problem | None] = [None] * len(earlier)
    for row in rows.tolist():
        row_id = ids[row].as_py()
        found[row] = problems.at(row_id, stage=STAGE, kind="not finite", message=f"{row_id}: {message}")
    return problems.first_of_each(earlier, found)

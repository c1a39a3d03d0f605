"""What came out for a table of texts, and its forms: FARM's JSON for programs, flat rows for files.

N rows in the table, n of them sound, C labels of a head.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.modeling.prediction_head import PredictionHead


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """One prediction or one problem per row, in the order of the rows."""

    table: pa.Table
    """id, text, clipped and problem, [N]."""
    rows: npt.NDArray[np.int64]
    """Positions of the sound rows, [n], ascending."""
    heads: Sequence[PredictionHead]
    logits: Sequence[npt.NDArray[np.float32]]
    """Per head [n, C], in the order of `rows`."""

    def __len__(self) -> int:
        return self.table.num_rows

    def to_json(self, *, return_class_probs: bool = False) -> list[dict[str, Any]]:
        """FARM's form: one dict per head with `task`, `task_name` and `predictions`, a list of N dicts.

        A prediction has `start`, `end`, `context`, `label`, `probability`, and beyond FARM `id`, `clipped` (the text
        was cut at max_seq_len) and `problem` (None, or a dict; label and probability are then None).
        """
        rows = self.table.to_pylist()
        return [self._head_json(head, logits, rows, return_class_probs) for head, logits in self._outputs()]

    def to_table(self, *, return_class_probs: bool = False) -> pa.Table:
        """Flat rows, [N]: id, text, per head label and probability, clipped, problem.

        With one head the columns are `label` and `probability`, with several `{task_name}_label` and
        `{task_name}_probability`. `return_class_probs` adds `class_probabilities`, one number per label name.
        """
        columns: dict[str, pa.Array | pa.ChunkedArray] = {name: self.table.column(name) for name in ("id", "text")}
        for head, logits in self._outputs():
            prefix = "" if len(self.heads) == 1 else f"{head.task_name}_"
            for name, column in self._head_columns(head, logits, return_class_probs).items():
                columns[prefix + name] = column
        for name in ("clipped", problems.COLUMN):
            columns[name] = self.table.column(name)
        return pa.table(columns)

    def to_json_table(self, *, return_class_probs: bool = False) -> pa.Table:
        """What `to_json` gives, as a table that can travel, [N]: id, problem, per head a string column with JSON."""
        columns: dict[str, Any] = {name: self.table.column(name) for name in ("id", problems.COLUMN)}
        for number, element in enumerate(self.to_json(return_class_probs=return_class_probs)):
            columns[f"head_{number}"] = pa.array(map(json.dumps, element["predictions"]), pa.string())
        return pa.table(columns)

    def _outputs(self) -> Sequence[tuple[PredictionHead, npt.NDArray[np.float32]]]:
        return list(zip(self.heads, self.logits, strict=True))

    def _head_json(
        self, head: PredictionHead, logits: npt.NDArray[np.float32], rows: list[dict[str, Any]], class_probs: bool
    ) -> dict[str, Any]:
        contexts = [rows[row]["text"] for row in self.rows.tolist()]
        formatted = head.formatted_preds(_tensor(logits), contexts=contexts, return_class_probs=class_probs)
        predictions: list[dict[str, Any]] = [_blank(row["text"]) for row in rows]
        for row, prediction in zip(self.rows.tolist(), formatted["predictions"], strict=True):
            # numpy's numbers are no JSON.
            predictions[row] = {**prediction, "probability": np.asarray(prediction["probability"]).tolist()}
        about = [{name: row[name] for name in ("id", "clipped", problems.COLUMN)} for row in rows]
        joined = [prediction | more for prediction, more in zip(predictions, about, strict=True)]
        return {**formatted, "predictions": joined}

    def _head_columns(
        self, head: PredictionHead, logits: npt.NDArray[np.float32], class_probs: bool
    ) -> dict[str, pa.Array]:
        probs_NC = np.zeros((len(self), head.num_labels), np.float32)
        probs_NC[self.rows] = head.logits_to_probs(_tensor(logits))
        missing = np.ones(len(self), np.bool_)
        missing[self.rows] = False
        best_N = probs_NC.argmax(axis=1)
        indices = pa.array(best_N, pa.int32(), mask=missing)
        labels = head.labels()
        columns = {
            "label": pa.array(labels, pa.string()).take(indices),
            "probability": pa.array(probs_NC[np.arange(len(self)), best_N], pa.float32(), mask=missing),
        }
        if class_probs:
            per_label = [pa.array(np.ascontiguousarray(probs_N), pa.float32()) for probs_N in probs_NC.T]
            columns["class_probabilities"] = pa.StructArray.from_arrays(per_label, labels, mask=pa.array(missing))
        return columns


def elements_of(table: pa.Table, elements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What `to_json` gave, from a table of `to_json_table`; `elements` is what `to_json` gives for no rows."""
    return [
        {**element, "predictions": list(map(json.loads, table.column(f"head_{number}").to_pylist()))}
        for number, element in enumerate(elements)
    ]


def problem_ids(table: pa.Table) -> list[str]:
    """Ids of the rows that have a problem instead of a prediction."""
    return table.filter(pc.is_valid(table.column(problems.COLUMN))).column("id").to_pylist()


def _blank(text: str | None) -> dict[str, Any]:
    return {"start": None, "end": None, "context": text, "label": None, "probability": None}


def _tensor(logits: npt.NDArray[np.float32]) -> Any:
    import torch

    return torch.from_numpy(logits)

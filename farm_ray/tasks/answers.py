"""How the answers of a kind of task are shown: in FARM's JSON, and as flat columns.

n texts, C labels of a head, W words of a text. An answer is what `logits_per_row` of the head gives: [C], or [W, C].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from torch import Tensor

    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.plain import PlainDict

RowLogits = Sequence[npt.NDArray[np.float32]]
"""Of each text what `logits_per_row` of the head gives."""


@dataclass(frozen=True, kw_only=True)
class AnswerForm:
    """The forms of the answers of one kind of head."""

    keys: tuple[str, ...]
    """Keys of a prediction in FARM's JSON."""
    columns: Callable[[PredictionHead, RowLogits, Sequence[str], bool], dict[str, pa.Array]]
    """Called with (head, answers, texts, return_class_probs); gives flat columns, [n]."""
    more: Callable[[PredictionHead, RowLogits], list[PlainDict]] | None = None
    """What a prediction says beyond FARM, [n]."""
    in_lists: bool = False
    """A prediction is a list of dicts, not one dict."""
    made_by_format_rows: bool = True
    """The columns are made of what the head's `format_rows` gives, not of labels and probabilities."""

    def element(
        self, head: PredictionHead, answers: RowLogits, texts: Sequence[str], return_class_probs: bool
    ) -> PlainDict:
        """FARM's JSON: `task`, `task_name` and `predictions`, [n]."""
        element = head.format_rows(answers, texts, return_class_probs)
        if self.more is None:
            return element
        both = zip(element["predictions"], self.more(head, answers), strict=True)
        return element | {"predictions": [prediction | more for prediction, more in both]}

    def blank(self, context: str | None) -> dict[str, object] | None:
        """What stands in the place of a prediction where there is a problem."""
        return None if self.in_lists else {**dict.fromkeys(self.keys), "context": context}


def probabilities(head: PredictionHead, answers: RowLogits) -> npt.NDArray[np.float32]:
    """The probability of each label, [n, C]."""
    return head.logits_to_probs(stacked(head, answers))


def stacked(head: PredictionHead, answers: RowLogits) -> Tensor:
    """Answers of whole rows as one tensor, float32 [n, C]."""
    import torch

    return torch.from_numpy(np.array(answers, np.float32).reshape(len(answers), head.num_labels))


def class_probabilities(probs_nC: npt.NDArray[np.float32], labels: Sequence[str]) -> pa.StructArray:
    """A number per label name, [n]."""
    per_label = [pa.array(np.ascontiguousarray(probs_n), pa.float32()) for probs_n in probs_nC.T]
    return pa.StructArray.from_arrays(per_label, list(labels))

"""One label per row. Shapes: B rows in the batch, C labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import torch.nn.functional as F  # noqa: N812 - torch's own convention

from farm_ray.configuration import strict_arguments
from farm_ray.modeling.prediction_head.base import stacked
from farm_ray.modeling.prediction_head.classification import ClassificationHead

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from farm_ray.plain import PlainDict


class TextClassificationHead(ClassificationHead):
    """Scores C labels for one vector per row, and chooses one.

    Args:
        layer_dims: Widths from the language model to the labels; the first is fitted to the language model. With more
            than two widths there is a GELU between the layers (FARM 0.8 had nothing there, and heads saved by it are
            loaded so).
        num_labels: C, in place of layer_dims: one layer.
        class_weights: Weight of each label in the loss, in the order of the label list; None weighs all alike.
        loss_ignore_index: Rows with this label id have loss 0.
        loss_reduction: `none` gives a loss per row; `mean` and `sum` a single one, which the trainer cannot use.
        task_name: The processor's name for the task.
        activation: What stands between layers; a name in transformers' table, or None.

    Raises:
        ValueError: When neither layer_dims nor num_labels is given, or class_weights is not one-dimensional.
        ConfigError: When the numbers of labels disagree, or a class weight is negative.
    """

    model_type: ClassVar[str] = "text_classification"
    ph_output_type: ClassVar[str] = "per_sequence"
    saved_settings: ClassVar[tuple[str, ...]] = ("loss_ignore_index", "loss_reduction")

    @strict_arguments
    def __init__(
        self,
        layer_dims: Sequence[int] | None = None,
        num_labels: int | None = None,
        class_weights: Sequence[float] | npt.NDArray[np.floating] | Tensor | None = None,
        loss_ignore_index: int = -100,
        loss_reduction: Literal["none", "mean", "sum"] = "none",
        task_name: str = "text_classification",
        *,
        activation: str | None = "gelu",
    ) -> None:
        super().__init__(layer_dims, num_labels, class_weights, task_name=task_name, activation=activation)
        self.loss_ignore_index = loss_ignore_index
        self.loss_reduction = loss_reduction

    def logits_to_loss(self, logits: Tensor, **batch: Tensor) -> Tensor:
        """Cross entropy of each row, float32 [B], also under mixed precision.

        Args:
            logits: [B, C].
            batch: Holds the column `label_tensor_name`, label ids, int64 [B, 1] or [B].
        """
        return F.cross_entropy(
            logits.float(),
            self.gold(batch).reshape(-1).long(),
            weight=self.label_weights,
            ignore_index=self.loss_ignore_index,
            reduction=self.loss_reduction,
        )

    def logits_to_preds(self, logits: Tensor, **_: Tensor) -> list[str]:
        """The best label of each row, [B]."""
        labels = self.labels()
        return [labels[best] for best in logits.argmax(dim=-1).tolist()]

    def logits_to_probs(self, logits: Tensor) -> npt.NDArray[np.float32]:
        """The probability of each label, [B, C]."""
        return logits.detach().float().softmax(dim=-1).cpu().numpy()

    def prepare_labels(self, **batch: Tensor) -> list[str]:
        """The gold label of each row, [B].

        Raises:
            DataProblemError: When a label id is outside of the label list.
        """
        return self.label_names(self.gold(batch).reshape(-1).tolist())

    def format_rows(
        self, rows: Sequence[npt.NDArray[np.float32]], contexts: Sequence[str], return_class_probs: bool = False
    ) -> PlainDict:
        """FARM's JSON: task, task_name and one prediction per text.

        Args:
            rows: Logits, [C] per text.
            contexts: The texts, [B].
            return_class_probs: `probability` holds that of every label, float32 [C], instead of the best one's.
        """
        logits_BC = stacked(rows, self.num_labels)
        probs_BC = self.logits_to_probs(logits_BC)
        if return_class_probs:
            answers: Iterable[tuple[str, object]] = (("class_probabilities", probs_C) for probs_C in probs_BC)
        else:
            answers = zip(self.logits_to_preds(logits_BC), probs_BC.max(axis=-1), strict=True)
        return self.farm_json(
            [
                {"start": None, "end": None, "context": context, "label": label, "probability": probability}
                for context, (label, probability) in zip(contexts, answers, strict=True)
            ]
        )

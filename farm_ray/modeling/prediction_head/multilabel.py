"""Any number of labels per row. Shapes: B rows in the batch, C labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import torch.nn.functional as F  # noqa: N812 - torch's own convention

from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.prediction_head.base import stacked
from farm_ray.modeling.prediction_head.classification import ClassificationHead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    from torch import Tensor
    from transformers import PreTrainedConfig

    from farm_ray.plain import PlainDict

_THRESHOLD = "pred_threshold"


class MultiLabelTextClassificationHead(ClassificationHead):
    """Decides for each of C labels whether it applies to a row; none, one or several may.

    Args:
        layer_dims: Widths from the language model to the labels; the first is fitted to the language model. With more
            than two widths there is a GELU between the layers (FARM 0.8 had nothing there, and heads saved by it are
            loaded so).
        num_labels: C, in place of layer_dims: one layer.
        class_weights: How much more a label counts where it applies than where it does not, in the order of the label
            list: above 1 for rare labels. None weighs all alike.
        loss_reduction: `none` gives a loss per row; `mean` and `sum` a single one, which the trainer cannot use.
        task_name: The processor's name for the task.
        pred_threshold: A label is predicted where its probability is above this, 0 to 1.
        activation: What stands between layers; a name in transformers' table, or None.

    Raises:
        ValueError: When neither layer_dims nor num_labels is given, or class_weights is not one-dimensional.
        ConfigError: When the numbers of labels disagree, a class weight is negative, or the threshold is no share.
    """

    model_type: ClassVar[str] = "multilabel_text_classification"
    farm_task: ClassVar[str] = "text_classification"
    ph_output_type: ClassVar[str] = "per_sequence"
    saved_settings: ClassVar[tuple[str, ...]] = ("loss_reduction", "pred_threshold")
    farm_class_weights: ClassVar[str] = "loss_fct.pos_weight"

    @strict_arguments
    def __init__(
        self,
        layer_dims: Sequence[int] | None = None,
        num_labels: int | None = None,
        class_weights: Sequence[float] | npt.NDArray[np.floating] | Tensor | None = None,
        loss_reduction: Literal["none", "mean", "sum"] = "none",
        task_name: str = "text_classification",
        pred_threshold: float = 0.5,
        *,
        activation: str | None = "gelu",
    ) -> None:
        super().__init__(layer_dims, num_labels, class_weights, task_name=task_name, activation=activation)
        if not 0 <= pred_threshold <= 1:
            raise ConfigError(
                f"pred_threshold is a probability from 0 to 1, not {pred_threshold}",
                code="invalid-value",
                option="pred_threshold",
                value=pred_threshold,
            )
        self.loss_reduction = loss_reduction
        self.pred_threshold = pred_threshold

    @classmethod
    def settings_of(cls, config: PreTrainedConfig) -> PlainDict:
        """As `ConvertibleHead.settings_of`: the threshold."""
        return {name: getattr(config, name) for name in (_THRESHOLD,) if hasattr(config, name)}

    def settings_for_transformers(self) -> PlainDict:
        """As `ConvertibleHead.settings_for_transformers`: the threshold."""
        return {_THRESHOLD: self.pred_threshold}

    def logits_to_loss(self, logits: Tensor, **batch: Tensor) -> Tensor:
        """Mean over labels of the binary cross entropy of each row, float32 [B], also under mixed precision.

        Args:
            logits: [B, C].
            batch: Holds the column `label_tensor_name`, 1 where a label applies, else 0, int64 [B, C].
        """
        losses_BC = F.binary_cross_entropy_with_logits(
            logits.float(), self._multi_hot(batch).float(), pos_weight=self.label_weights, reduction="none"
        )
        losses_B = losses_BC.mean(dim=1)
        if self.loss_reduction == "none":
            return losses_B
        return losses_B.mean() if self.loss_reduction == "mean" else losses_B.sum()

    def logits_to_preds(self, logits: Tensor, **_: Tensor) -> list[list[int]]:
        """1 for each label that is predicted, else 0, in the order of the label list, [B][C]."""
        return (logits.detach().float().sigmoid() > self.pred_threshold).int().tolist()

    def logits_to_probs(self, logits: Tensor) -> npt.NDArray[np.float32]:
        """The probability of each label to apply, [B, C]; they need not add up to 1."""
        return logits.detach().float().sigmoid().cpu().numpy()

    def prepare_labels(self, **batch: Tensor) -> list[list[int]]:
        """1 for each label that applies, else 0, in the order of the label list, [B][C].

        Raises:
            DataProblemError: When the column holds other numbers.
        """
        gold_BC = self._multi_hot(batch)
        outside = gold_BC[(gold_BC != 0) & (gold_BC != 1)].tolist()
        if outside:
            raise DataProblemError(
                f'"{self.label_tensor_name}" of task "{self.task_name}" holds {outside[0]}, not 0 or 1; evaluate on '
                "labelled rows only",
                code="no-such-label-id",
                task=self.task_name,
                value=outside[0],
            )
        return gold_BC.int().tolist()

    def format_rows(
        self,
        rows: Sequence[npt.NDArray[np.float32]],
        contexts: Sequence[str],
        return_class_probs: bool = False,  # noqa: ARG002 - all probabilities are always there
    ) -> PlainDict:
        """FARM's JSON: task, task_name and one prediction per text.

        The `label` is a string with all predicted names, such as "['toxic', 'insult']"; `probability` holds that of
        every label, float32 [C].

        Args:
            rows: Logits, [C] per text.
            contexts: The texts, [B].
            return_class_probs: Changes nothing.
        """
        logits_BC, labels = stacked(rows, self.num_labels), self.labels()
        answers = zip(contexts, self.logits_to_preds(logits_BC), self.logits_to_probs(logits_BC), strict=True)
        return self.farm_json(
            [
                {
                    "start": None,
                    "end": None,
                    "context": context,
                    "label": str([label for label, chosen in zip(labels, chosen_C, strict=True) if chosen]),
                    "probability": probs_C,
                }
                for context, chosen_C, probs_C in answers
            ]
        )

    def _multi_hot(self, batch: Mapping[str, Tensor]) -> Tensor:
        gold_BC = self.gold(batch)
        if gold_BC.dim() != 2 or gold_BC.shape[1] != self.num_labels:  # noqa: PLR2004
            raise ConfigError(
                f'"{self.label_tensor_name}" has the shape {list(gold_BC.shape)}, and the head of task '
                f'"{self.task_name}" needs one 0 or 1 for each of its {self.num_labels} labels; is the task of type '
                "multilabel_classification?",
                code="wrong-label-shape",
                task=self.task_name,
                value=list(gold_BC.shape),
            )
        return gold_BC

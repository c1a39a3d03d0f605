"""One label per row. Shapes: B rows in the batch, H width of the language model, C labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.language_model import sources
from farm_ray.modeling.prediction_head.base import PredictionHead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

_FARM_CLASS_WEIGHTS = "loss_fct.weight"
_DEFAULT_WIDTH = 768


class TextClassificationHead(PredictionHead):
    """Scores C labels for one vector per row.

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
        ConfigError: When the numbers of labels disagree.
    """

    model_type: ClassVar[str] = "text_classification"
    task_types: ClassVar[tuple[str, ...]] = ("classification",)
    ph_output_type: ClassVar[str] = "per_sequence"
    saved_settings: ClassVar[tuple[str, ...]] = ("loss_ignore_index", "loss_reduction")

    @strict_arguments
    def __init__(
        self,
        layer_dims: Sequence[int] | None = None,
        num_labels: int | None = None,
        class_weights: Sequence[float] | npt.NDArray[Any] | Tensor | None = None,
        loss_ignore_index: int = -100,
        loss_reduction: Literal["none", "mean", "sum"] = "none",
        task_name: str = "text_classification",
        *,
        activation: str | None = "gelu",
    ) -> None:
        dims = _widths(layer_dims, num_labels)
        super().__init__(
            dims, task_name=task_name, class_weights=_checked(class_weights, dims[-1]), activation=activation
        )
        self.loss_ignore_index = loss_ignore_index
        self.loss_reduction = loss_reduction
        weights = None if self.class_weights is None else torch.tensor(self.class_weights, dtype=torch.float32)
        self.register_buffer("loss_weights", weights, persistent=False)

    @classmethod
    def load(  # type: ignore[override]
        cls,
        pretrained_model_name_or_path: str | Path,
        revision: str | None = None,
        strict: bool = True,
        load_weights: bool = True,
    ) -> PredictionHead:
        """A saved head, or the classifier of a transformers model.

        Args:
            pretrained_model_name_or_path: A `prediction_head_{i}_config.json`, or the folder or hub name of a
                transformers sequence classification model.
            revision: Branch, tag or commit on the hub.
            strict: Refuse a weights file that lacks weights.
            load_weights: Read the weights of a saved head.
        """
        if str(pretrained_model_name_or_path).endswith(".json"):
            return super().load(pretrained_model_name_or_path, strict=strict, load_weights=load_weights)
        from farm_ray.modeling.conversion.transformers import classification_head

        return classification_head(pretrained_model_name_or_path, revision=revision)

    def logits_to_loss(self, logits: Tensor, **batch: Any) -> Tensor:
        """Cross entropy of each row, float32 [B], also under mixed precision.

        Args:
            logits: [B, C].
            batch: Holds the column `label_tensor_name`, label ids, int64 [B, 1] or [B].
        """
        gold_B = self.gold(batch).reshape(-1).long()
        return F.cross_entropy(
            logits.float(),
            gold_B,
            weight=self.get_buffer("loss_weights") if self.class_weights is not None else None,
            ignore_index=self.loss_ignore_index,
            reduction=self.loss_reduction,
        )

    def logits_to_preds(self, logits: Tensor, **_: Any) -> list[str]:
        """The best label of each row, [B]."""
        labels = self.labels()
        return [labels[best] for best in logits.argmax(dim=-1).tolist()]

    def logits_to_probs(self, logits: Tensor) -> npt.NDArray[np.float32]:
        """The probability of each label, [B, C]."""
        return logits.detach().float().softmax(dim=-1).cpu().numpy()

    def prepare_labels(self, **batch: Any) -> list[str]:
        """The gold label of each row, [B].

        Raises:
            DataProblemError: When a label id is outside of the label list.
        """
        labels = self.labels()
        ids = self.gold(batch).reshape(-1).tolist()
        outside = [label_id for label_id in ids if not 0 <= label_id < len(labels)]
        if outside:
            raise DataProblemError(
                f'label id {outside[0]} in "{self.label_tensor_name}" is outside of 0 to {len(labels) - 1}, the '
                f'labels of task "{self.task_name}"; evaluate on labelled rows only',
                value=outside[0],
            )
        return [labels[int(label_id)] for label_id in ids]

    def formatted_preds(
        self, logits: Tensor, contexts: Sequence[str], return_class_probs: bool = False
    ) -> dict[str, Any]:
        """FARM's JSON: task, task_name and one prediction per text.

        Args:
            logits: [B, C].
            contexts: The texts, [B].
            return_class_probs: `probability` holds that of every label, float32 [C], instead of the best one's.
        """
        probs_BC = self.logits_to_probs(logits)
        if return_class_probs:
            answers: Any = (("class_probabilities", probs_C) for probs_C in probs_BC)
        else:
            answers = zip(self.logits_to_preds(logits), probs_BC.max(axis=-1), strict=True)
        predictions = [
            {"start": None, "end": None, "context": context, "label": label, "probability": probability}
            for context, (label, probability) in zip(contexts, answers, strict=True)
        ]
        return {"task": self.model_type, "task_name": self.task_name, "predictions": predictions}

    def _load_weights(self, file: Path, *, strict: bool) -> None:
        super()._load_weights(file, strict=strict)
        if file.suffix == ".bin" and self.class_weights is None:
            self._take_farm_class_weights(file)

    def _take_farm_class_weights(self, file: Path) -> None:
        weights = sources.read_tensors(file).get(_FARM_CLASS_WEIGHTS)
        if weights is not None:
            self.class_weights = _checked(weights, self.num_labels)
            self.register_buffer("loss_weights", weights.float(), persistent=False)


def _widths(layer_dims: Sequence[int] | None, num_labels: int | None) -> list[int]:
    if layer_dims is not None:
        dims = list(layer_dims)
        if num_labels is not None and dims[-1] != num_labels:
            raise ConfigError(f"layer_dims={dims} ends in {dims[-1]} labels, but num_labels={num_labels}; give one")
        return dims
    if num_labels is None:
        raise ValueError("TextClassificationHead needs num_labels=..., or layer_dims=[..., number of labels]")
    return [_DEFAULT_WIDTH, num_labels]


def _checked(class_weights: Any, num_labels: int) -> list[float] | None:
    if class_weights is None:
        return None
    weights = torch.as_tensor(class_weights)
    if weights.dim() != 1:
        raise ValueError(f"class_weights must be one weight per label, not of shape {list(weights.shape)}")
    if len(weights) != num_labels:
        raise ConfigError(f"class_weights has {len(weights)} values for {num_labels} labels; give one each")
    return [float(weight) for weight in weights.tolist()]

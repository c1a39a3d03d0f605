"""One number per row. Shapes: B rows in the batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head.base import stacked
from farm_ray.modeling.prediction_head.convertible import ConvertibleHead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from farm_ray.plain import PlainDict


class RegressionHead(ConvertibleHead):
    """Predicts a number for one vector per row.

    It learns labels that the processor has scaled, `(label - mean) / scale`, and answers in the labels' own unit. Mean
    and scale stand in the place of the label list, as in FARM: they come with the task and are saved with the head.

    Args:
        layer_dims: Widths from the language model to 1; the first is fitted to the language model. With more than two
            widths there is a GELU between the layers (FARM 0.8 had nothing there, and heads saved by it are loaded so).
        task_name: The processor's name for the task.
        activation: What stands between layers; a name in transformers' table, or None.

    Raises:
        ConfigError: When the last width is not 1.
    """

    model_type: ClassVar[str] = "regression"
    names_its_outputs: ClassVar[bool] = False
    ph_output_type: ClassVar[str] = "per_sequence_continuous"
    missing_labels: ClassVar[str] = (
        "has no mean and scale of the labels yet; load the training data first (a DataSilo does), or give scaler_mean "
        "and scaler_scale"
    )

    @strict_arguments
    def __init__(
        self,
        layer_dims: Sequence[int] = (768, 1),
        task_name: str = "regression",
        *,
        activation: str | None = "gelu",
    ) -> None:
        super().__init__(layer_dims, task_name=task_name, activation=activation)
        if self.num_labels != 1:
            raise ConfigError(
                f"layer_dims={self.layer_dims} must end in 1: a regression predicts one number per row",
                code="wrong-widths",
                option="layer_dims",
                value=list(self.layer_dims),
            )

    @property
    def mean(self) -> float:
        """What a logit of 0 stands for, in the labels' unit; 0 before a task is connected."""
        return 0.0 if self.label_list is None else float(self.label_list[0])

    @property
    def scale(self) -> float:
        """What a step of 1 in the logits stands for, in the labels' unit; 1 before a task is connected."""
        return 1.0 if self.label_list is None else float(self.label_list[1])

    def logits_to_loss(self, logits: Tensor, **batch: Tensor) -> Tensor:
        """Squared error of each row in units of `scale`, float32 [B], also under mixed precision.

        Args:
            logits: [B, 1].
            batch: Holds the column `label_tensor_name`, scaled labels, float32 [B, 1] or [B].
        """
        return (logits.float().reshape(-1) - self.gold(batch).float().reshape(-1)).square()

    def logits_to_preds(self, logits: Tensor, **_: Tensor) -> list[float]:
        """The predicted number of each row, [B]."""
        return self._unscaled(logits)

    def prepare_labels(self, **batch: Tensor) -> list[float]:
        """The gold number of each row, [B]."""
        return self._unscaled(self.gold(batch))

    def format_rows(
        self,
        rows: Sequence[npt.NDArray[np.float32]],
        contexts: Sequence[str],
        return_class_probs: bool = False,  # noqa: ARG002 - there are no classes
    ) -> PlainDict:
        """FARM's JSON: task, task_name and one prediction per text, `context` and `pred`, float32.

        Args:
            rows: Logits, [1] per text.
            contexts: The texts, [B].
            return_class_probs: Changes nothing.
        """
        values = self._unscaled(stacked(rows, 1))
        return self.farm_json(
            [{"context": context, "pred": np.float32(value)} for context, value in zip(contexts, values, strict=True)]
        )

    def exported_layers(self) -> list[Mapping[str, Tensor]]:
        """As `ConvertibleHead.exported_layers`; transformers does not scale labels, so the last layer does it."""
        *hidden, last = super().exported_layers()
        scaled = {"weight": last["weight"] * self.scale, "bias": last["bias"] * self.scale + self.mean}
        return [*hidden, scaled]

    def _unscaled(self, scaled: Tensor) -> list[float]:
        # In float64, so that a label of 4.75 comes back as 4.75 to seven digits whatever the scale.
        values_B = scaled.detach().float().reshape(-1).cpu().double()
        return (values_B * self.scale + self.mean).tolist()

    def _take_labels(self, labels: Sequence[Any]) -> None:
        try:
            mean, scale = (float(value) for value in labels)
        except (TypeError, ValueError):
            mean, scale = math.nan, math.nan
        if not (math.isfinite(mean) and math.isfinite(scale) and scale > 0):
            raise ConfigError(
                f'the task "{self.task_name}" is a regression, and its label_list must be [mean, scale] of the labels, '
                f"two numbers with a scale above 0, not {list(labels)}",
                code="wrong-scaling",
                task=self.task_name,
                value=list(labels),
            )
        self._replace_labels([mean, scale])

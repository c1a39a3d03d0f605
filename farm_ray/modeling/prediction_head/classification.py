"""What the heads with a list of labels share: widths, class weights, label names.

Shapes: C labels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.language_model import sources
from farm_ray.modeling.prediction_head.convertible import ConvertibleHead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from farm_ray.plain import PlainMapping

_DEFAULT_WIDTH = 768


class ClassificationHead(ConvertibleHead):
    """A head that chooses among C labels, each with a weight of its own in the loss where `class_weights` are given."""

    farm_class_weights: ClassVar[str] = "loss_fct.weight"
    """Where FARM 0.8 kept the class weights among a head's tensors."""

    def __init__(
        self,
        layer_dims: Sequence[int] | None,
        num_labels: int | None,
        class_weights: Sequence[float] | npt.NDArray[np.floating] | Tensor | None,
        *,
        task_name: str,
        activation: str | None,
        hidden_layers: PlainMapping | None = None,
    ) -> None:
        dims = self._widths(layer_dims, num_labels)
        super().__init__(
            dims,
            task_name=task_name,
            class_weights=_checked(class_weights, dims[-1]),
            activation=activation,
            hidden_layers=hidden_layers,
        )
        weights = None if self.class_weights is None else torch.tensor(self.class_weights, dtype=torch.float32)
        self.register_buffer("loss_weights", weights, persistent=False)

    @property
    def label_weights(self) -> Tensor | None:
        """The class weights, float32 [C], on the head's device; None weighs all alike."""
        return None if self.class_weights is None else self.get_buffer("loss_weights")

    def label_names(self, label_ids: Sequence[int]) -> list[str]:
        """The names of these labels.

        Raises:
            DataProblemError: When an id is outside of the label list.
        """
        labels = self.labels()
        outside = [label_id for label_id in label_ids if not 0 <= label_id < len(labels)]
        if outside:
            raise DataProblemError(
                f'label id {outside[0]} in "{self.label_tensor_name}" is outside of 0 to {len(labels) - 1}, the '
                f'labels of task "{self.task_name}"; evaluate on labelled rows only',
                code="no-such-label-id",
                task=self.task_name,
                value=outside[0],
            )
        return [labels[label_id] for label_id in label_ids]

    @classmethod
    def _widths(cls, layer_dims: Sequence[int] | None, num_labels: int | None) -> list[int]:
        if layer_dims is not None:
            dims = list(layer_dims)
            if num_labels is not None and dims[-1] != num_labels:
                raise ConfigError(
                    f"layer_dims={dims} ends in {dims[-1]} labels, but num_labels={num_labels}; give one",
                    code="wrong-widths",
                    option="layer_dims",
                    value=dims,
                )
            return dims
        if num_labels is None:
            raise ValueError(f"{cls.__name__} needs num_labels=..., or layer_dims=[..., number of labels]")
        return [_DEFAULT_WIDTH, num_labels]

    def _load_weights(self, file: Path, *, strict: bool) -> None:
        super()._load_weights(file, strict=strict)
        if file.suffix == ".bin" and self.class_weights is None:
            weights = sources.read_tensors(file).get(self.farm_class_weights)
            if weights is not None:
                self.class_weights = _checked(weights, self.num_labels)
                self.register_buffer("loss_weights", weights.float(), persistent=False)


def _checked(class_weights: object, num_labels: int) -> list[float] | None:
    if class_weights is None:
        return None
    weights = torch.as_tensor(class_weights)
    if weights.dim() != 1:
        raise ValueError(f"class_weights must be one weight per label, not of shape {list(weights.shape)}")
    if len(weights) != num_labels:
        raise ConfigError(
            f"class_weights has {len(weights)} values for {num_labels} labels; give one each",
            code="wrong-number-of-weights",
            option="class_weights",
            value=len(weights),
        )
    values = [float(weight) for weight in weights.tolist()]
    wrong = [value for value in values if not (math.isfinite(value) and value >= 0)]
    if wrong:
        raise ConfigError(
            f"class_weights holds {wrong[0]}; a weight is 0 or more",
            code="invalid-value",
            option="class_weights",
            value=wrong[0],
        )
    return values

"""Whether one text follows another, as BERT was trained. Shapes: B rows in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head.base import PredictionHead, saved_head_file
from farm_ray.modeling.prediction_head.text_classification import TextClassificationHead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from farm_ray.plain import PlainMapping

NEXT_SENTENCE_LABELS = ("True", "False")
"""Id 0: the second text is the next one, as in BERT; id 1: it is another one."""
_SWAPPED = ["False", "True"]
"""The names FARM 0.8 gave to the same ids."""
_LABELS = 2


class NextSentenceHead(TextClassificationHead):
    """Chooses between `True`, label id 0, the second text of a row follows the first, and `False`, id 1.

    Saved heads and tasks of FARM 0.8 have the names the wrong way round; they are read as what their ids mean.

    Args:
        layer_dims: Widths from the language model to the two labels; the first is fitted to the language model.
        num_labels: 2.
        class_weights: Weight of each label in the loss; None weighs both alike.
        loss_ignore_index: Rows with this label id have loss 0.
        loss_reduction: `none` gives a loss per row.
        task_name: The processor's name for the task.
        activation: What stands between layers; a name in transformers' table, or None.

    Raises:
        ConfigError: When there are not two labels.
    """

    @strict_arguments
    def __init__(
        self,
        layer_dims: Sequence[int] | None = None,
        num_labels: int | None = None,
        class_weights: Sequence[float] | npt.NDArray[np.floating] | Tensor | None = None,
        loss_ignore_index: int = -1,
        loss_reduction: Literal["none", "mean", "sum"] = "none",
        task_name: str = "nextsentence",
        *,
        activation: str | None = "gelu",
    ) -> None:
        labels = _LABELS if layer_dims is None and num_labels is None else num_labels
        super().__init__(
            layer_dims, labels, class_weights, loss_ignore_index, loss_reduction, task_name, activation=activation
        )
        if self.num_labels != _LABELS:
            raise ConfigError(
                f"a NextSentenceHead has 2 labels, not {self.num_labels}",
                code="wrong-number-of-labels",
                value=self.num_labels,
            )
        self.label_list = list(NEXT_SENTENCE_LABELS)

    @classmethod
    def load(  # type: ignore[override]
        cls,
        pretrained_model_name_or_path: str | Path,
        revision: str | None = None,
        strict: bool = True,
        load_weights: bool = True,
    ) -> PredictionHead:
        """A saved head, or that of a BERT pretraining checkpoint; a fresh one where there is none, told in the log.

        Args:
            pretrained_model_name_or_path: A `prediction_head_{i}_config.json`, a folder of a saved AdaptiveModel, or
                the folder or hub name of a transformers model.
            revision: Branch, tag or commit on the hub.
            strict: Refuse a weights file that lacks weights.
            load_weights: Read the weights of a saved head.

        Raises:
            ModelFolderError: When a file is missing or damaged.
        """
        file = saved_head_file(pretrained_model_name_or_path, cls.__name__)
        if file is not None:
            return super().load(str(file), strict=strict, load_weights=load_weights)
        from farm_ray.modeling.conversion.masked_lm import load_next_sentence_head

        return load_next_sentence_head(cls, pretrained_model_name_or_path, revision=revision)

    def _take_saved(self, values: PlainMapping) -> None:
        super()._take_saved({name: value for name, value in values.items() if name != "label_list"})
        if "label_list" in values:
            self._take_labels(values["label_list"])

    def _replace_labels(self, labels: list[str]) -> None:
        super()._replace_labels(list(NEXT_SENTENCE_LABELS) if labels == _SWAPPED else labels)

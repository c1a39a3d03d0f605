"""Heads that transformers has as well: they are loaded from its models by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.modeling.prediction_head.base import PredictionHead

if TYPE_CHECKING:
    from pathlib import Path


class ConvertibleHead(PredictionHead):
    """A head whose weights can come from a transformers model."""

    @classmethod
    def load(  # type: ignore[override]
        cls,
        pretrained_model_name_or_path: str | Path,
        revision: str | None = None,
        strict: bool = True,
        load_weights: bool = True,
    ) -> PredictionHead:
        """A saved head, or the head of a transformers model.

        Args:
            pretrained_model_name_or_path: A `prediction_head_{i}_config.json`, or the folder or hub name of a
                transformers model with a head of this kind.
            revision: Branch, tag or commit on the hub.
            strict: Refuse a weights file that lacks weights.
            load_weights: Read the weights of a saved head.

        Raises:
            ModelFolderError: When a file is missing or damaged.
            ConfigError: When the transformers model has a head of another kind, or none.
        """
        if str(pretrained_model_name_or_path).endswith(".json"):
            return super().load(pretrained_model_name_or_path, strict=strict, load_weights=load_weights)
        from farm_ray.modeling.conversion.transformers import converted_head

        return converted_head(pretrained_model_name_or_path, cls.model_type, revision=revision)

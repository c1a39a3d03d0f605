"""FARM's `Converter`: another way to say `AdaptiveModel.convert_from_transformers` and `convert_to_transformers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.modeling.adaptive_model import AdaptiveModel

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from transformers import PreTrainedModel

    from farm_ray.data_handler.processor.base import Processor


class Converter:
    """Converts models from and to transformers."""

    @staticmethod
    def convert_from_transformers(
        model_name_or_path: str | Path,
        device: str | torch.device,
        revision: str | None = None,
        task_type: str | None = None,
        processor: Processor | None = None,
    ) -> AdaptiveModel:
        """As `AdaptiveModel.convert_from_transformers`."""
        return AdaptiveModel.convert_from_transformers(model_name_or_path, device, revision, task_type, processor)

    @staticmethod
    def convert_to_transformers(adaptive_model: AdaptiveModel) -> list[PreTrainedModel]:
        """As `AdaptiveModel.convert_to_transformers`."""
        return adaptive_model.convert_to_transformers()

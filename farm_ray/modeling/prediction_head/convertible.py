"""Heads that transformers has as well: their weights come from its models, and go into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head.base import PredictionHead

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor
    from transformers import PreTrainedConfig

    from farm_ray.plain import PlainDict


class ConvertibleHead(PredictionHead):
    """A head whose weights can come from a transformers model."""

    names_its_outputs: ClassVar[bool] = True
    """The label list names the outputs, as transformers' `id2label` does."""

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
        return cls._of_transformers(pretrained_model_name_or_path, revision)

    @classmethod
    def settings_of(cls, config: PreTrainedConfig) -> PlainDict:  # noqa: ARG003 - for heads that have some
        """Constructor arguments that a transformers model's configuration brought along."""
        return {}

    def settings_for_transformers(self) -> PlainDict:
        """What `settings_of` reads, for the configuration of a transformers model."""
        return {}

    def exported_layers(self) -> list[Mapping[str, Tensor]]:
        """The weights of the layers that have some, from vectors to labels, as transformers computes with them."""
        from farm_ray.modeling.conversion.heads import layers_of

        return [dict(layer.state_dict()) for layer in layers_of(self)]

    @classmethod
    def _of_transformers(cls, name_or_path: str | Path, revision: str | None) -> PredictionHead:
        from farm_ray.modeling.conversion.architectures import architecture_for
        from farm_ray.modeling.conversion.heads import head_of
        from farm_ray.modeling.conversion.tasks import checked_task
        from farm_ray.modeling.language_model.loading import open_config

        config = open_config(name_or_path, revision)
        spec = checked_task(name_or_path, config, cls.model_type)
        if spec.head_type != cls.model_type:
            raise ConfigError(
                f'"{name_or_path}" holds a {spec.farm_name} head; take {spec.head}.load',
                code="wrong-task-type",
                value=spec.farm_name,
                file=name_or_path,
            )
        return head_of(architecture_for(spec).open(name_or_path, config, revision), spec, cls)

"""Which processors an experiment may name, and the configuration of each: chosen by its field `kind`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BeforeValidator, Discriminator, SerializeAsAny, Tag, TypeAdapter

from farm_ray.data_handler.processor.config import FilesConfig, ProcessorConfig, processor_configs
from farm_ray.data_handler.processor.language_model import BertStyleLMProcessorConfig
from farm_ray.data_handler.processor.ner import NERProcessorConfig
from farm_ray.data_handler.processor.regression import RegressionProcessorConfig
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessorConfig
from farm_ray.data_handler.processor.text_pair import (
    TextPairClassificationProcessorConfig,
    TextPairRegressionProcessorConfig,
)

__all__ = [
    "DEFAULT_KIND",
    "PROCESSORS_OF_TASKS",
    "BertStyleLMProcessorConfig",
    "NERProcessorConfig",
    "RegressionProcessorConfig",
    "TextClassificationProcessorConfig",
    "TextPairClassificationProcessorConfig",
    "TextPairRegressionProcessorConfig",
]

DEFAULT_KIND = "TextClassificationProcessor"


def _as_config(value: object) -> object:
    """Plain values as the configuration of their kind, which may be one of a user's that has been imported."""
    if isinstance(value, FilesConfig):
        return value
    return _adapter(tuple(processor_configs().items())).validate_python(value)


@functools.cache
def _adapter(kinds: tuple[tuple[str, type[FilesConfig]], ...]) -> TypeAdapter[object]:
    """Reads any of these, so that errors say the kind and the field."""
    tagged: Any = tuple(Annotated[kind, Tag(name)] for name, kind in kinds)
    return TypeAdapter(Annotated[Union[tagged], Discriminator(_kind)])  # noqa: UP007 - of a tuple


def _kind(value: object) -> str:
    return str((value.get("kind") if isinstance(value, dict) else None) or DEFAULT_KIND)


if TYPE_CHECKING:
    AnyProcessorConfig = ProcessorConfig | BertStyleLMProcessorConfig
else:
    AnyProcessorConfig = Annotated[SerializeAsAny[FilesConfig], BeforeValidator(_as_config)]
    """Of any kind; values without a `kind` mean text classification."""

PROCESSORS_OF_TASKS: dict[str, type[ProcessorConfig]] = {
    "TextClassificationProcessor": TextClassificationProcessorConfig,
    "TextPairClassificationProcessor": TextPairClassificationProcessorConfig,
    "RegressionProcessor": RegressionProcessorConfig,
    "TextPairRegressionProcessor": TextPairRegressionProcessorConfig,
    "NERProcessor": NERProcessorConfig,
}
"""Those that read labelled rows, by name."""

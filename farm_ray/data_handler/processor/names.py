"""From the class name in a saved configuration to the class."""

from __future__ import annotations

import importlib
from typing import Any

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.overrides import imported_subclasses

PROCESSORS = {
    "TextClassificationProcessor": "farm_ray.data_handler.processor.text_classification",
    "TextPairClassificationProcessor": "farm_ray.data_handler.processor.text_pair",
    "RegressionProcessor": "farm_ray.data_handler.processor.regression",
    "TextPairRegressionProcessor": "farm_ray.data_handler.processor.text_pair",
    "NERProcessor": "farm_ray.data_handler.processor.ner",
    "BertStyleLMProcessor": "farm_ray.data_handler.processor.language_model",
    "InferenceProcessor": "farm_ray.data_handler.processor.inference",
}
"""Class name to module."""

_OF_FARM = frozenset(
    {
        "NaturalQuestionsProcessor",
        "SquadProcessor",
        "TextSimilarityProcessor",
    }
)


def processor_class(name: str) -> type[Any]:
    """The processor class of this name: one of ours, else a subclass of `Processor` that has been imported.

    Raises:
        ConfigError: When there is none.
    """
    if name in PROCESSORS:
        return getattr(importlib.import_module(PROCESSORS[name]), name)
    from farm_ray.data_handler.processor.base import Processor

    imported = imported_subclasses(Processor)  # type: ignore[type-abstract]
    if name in imported:
        return imported[name]
    if name in _OF_FARM:
        raise ConfigError(f"{name} is not available yet in this version of farm_ray", value=name)
    hint = nearest(name, {*PROCESSORS, *imported})
    raise ConfigError(f'no processor class "{name}"{hint}; import the module that defines it first', value=name)

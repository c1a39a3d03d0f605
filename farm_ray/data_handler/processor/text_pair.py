"""Pairs of texts: one label (or several, or a number) per pair and task."""

from __future__ import annotations

from typing import Any, Literal

from farm_ray.configuration import Config
from farm_ray.data_handler.processor.arguments import refuse_unknown
from farm_ray.data_handler.processor.base import Processor
from farm_ray.data_handler.processor.config import Column
from farm_ray.data_handler.processor.regression import RegressionProcessor, RegressionProcessorConfig
from farm_ray.data_handler.processor.text_classification import (
    TextClassificationProcessor,
    TextClassificationProcessorConfig,
)


class PairsConfig(Config):
    """What the configurations of processors of pairs have besides those of single texts."""

    text_b_column_name: Column = "text_b"
    """The column of the second text."""
    quote_char: str | None = '"'
    """As for single texts; FARM reads pairs with this one, too."""


class TextPairClassificationProcessorConfig(PairsConfig, TextClassificationProcessorConfig):
    """Pairs of texts with a label, for `TextPairClassificationProcessor`."""

    kind: Literal["TextPairClassificationProcessor"] = "TextPairClassificationProcessor"  # type: ignore[assignment]


class TextPairRegressionProcessorConfig(PairsConfig, RegressionProcessorConfig):
    """Pairs of texts with a number, for `TextPairRegressionProcessor`."""

    kind: Literal["TextPairRegressionProcessor"] = "TextPairRegressionProcessor"  # type: ignore[assignment]


_DEFAULTS = PairsConfig()


class _TextPairs(Processor):
    """What processors of pairs have besides those of single texts; stands before one of these among the bases."""

    def __init__(
        self,
        *args: Any,
        text_b_column_name: str = _DEFAULTS.text_b_column_name,
        quote_char: str | None = _DEFAULTS.quote_char,
        **kwargs: Any,
    ) -> None:
        refuse_unknown(type(self), kwargs)
        # The checks of the settings depend on it.
        self.text_b_column_name = text_b_column_name
        super().__init__(*args, quote_char=quote_char, **kwargs)  # type: ignore[call-arg] # another base takes it


class TextPairClassificationProcessor(_TextPairs, TextClassificationProcessor):
    """Reads tables with two texts and one or more label columns, for example questions and answers, or paraphrases.

    A pair is encoded as one row; of a pair that is longer than `max_seq_len` the longer text is cut first. Dicts hold
    a pair as `{"text": (a, b)}` or `{"text": a, "text_b": b}`.

    The options are those of `TextPairClassificationProcessorConfig`.

    Args:
        *args: Those of `TextClassificationProcessor`.
        **kwargs: Those of `TextClassificationProcessor`.

    Raises:
        ConfigError: On values that are invalid.
    """


class TextPairRegressionProcessor(_TextPairs, RegressionProcessor):
    """Reads tables with two texts and a number, for example how similar the texts are.

    Pairs are encoded and given as for `TextPairClassificationProcessor`.

    The options are those of `TextPairRegressionProcessorConfig`.

    Args:
        *args: Those of `RegressionProcessor`.
        **kwargs: Those of `RegressionProcessor`.

    Raises:
        ConfigError: On values that are invalid.
    """

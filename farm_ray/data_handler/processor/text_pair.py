"""Pairs of texts: one label (or several, or a number) per pair and task."""

from __future__ import annotations

from typing import Any

from farm_ray.data_handler.processor.arguments import refuse_unknown
from farm_ray.data_handler.processor.base import Processor
from farm_ray.data_handler.processor.regression import RegressionProcessor
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessor


class _TextPairs(Processor):
    """What processors of pairs have besides those of single texts; stands before one of these among the bases."""

    def __init__(
        self, *args: Any, text_b_column_name: str = "text_b", quote_char: str | None = '"', **kwargs: Any
    ) -> None:
        refuse_unknown(type(self), kwargs)
        # The checks of the settings depend on it.
        self.text_b_column_name = text_b_column_name
        super().__init__(*args, quote_char=quote_char, **kwargs)  # type: ignore[call-arg] # another base takes it


class TextPairClassificationProcessor(_TextPairs, TextClassificationProcessor):
    """Reads tables with two texts and one or more label columns, for example questions and answers, or paraphrases.

    A pair is encoded as one row; of a pair that is longer than `max_seq_len` the longer text is cut first. Dicts hold
    a pair as `{"text": (a, b)}` or `{"text": a, "text_b": b}`.

    Args:
        *args: Those of `TextClassificationProcessor`.
        text_b_column_name: Column of the second text.
        quote_char: Quotes fields in text files; None for no quoting. FARM reads pairs with this one, too.
        **kwargs: Those of `TextClassificationProcessor`.

    Raises:
        ConfigError: On values that are invalid.
    """


class TextPairRegressionProcessor(_TextPairs, RegressionProcessor):
    """Reads tables with two texts and a number, for example how similar the texts are.

    Pairs are encoded and given as for `TextPairClassificationProcessor`.

    Args:
        *args: Those of `RegressionProcessor`.
        text_b_column_name: Column of the second text.
        quote_char: Quotes fields in text files; None for no quoting. FARM reads pairs with this one, too.
        **kwargs: Those of `RegressionProcessor`.

    Raises:
        ConfigError: On values that are invalid.
    """

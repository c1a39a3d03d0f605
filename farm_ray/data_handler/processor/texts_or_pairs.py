"""Rows of one text and of two, side by side: for the vectors of a model that was trained on pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.processor.arguments import arguments_of
from farm_ray.data_handler.processor.dicts import dicts_table
from farm_ray.data_handler.processor.inference import InferenceProcessor
from farm_ray.data_handler.sample_columns import TEXT_B

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.processor.base import Processor

_SEGMENTS = "segment_ids"


class TextsOrPairsProcessor(InferenceProcessor):
    """As `InferenceProcessor` for pairs, but a row without a second text, `text_b` null, is a single text."""

    text_b_is_optional = True

    @classmethod
    def like(cls, processor: Processor) -> TextsOrPairsProcessor:
        """With the tokenizer and the settings of a processor of pairs."""
        names = set(arguments_of(cls)) - {"tokenizer", "max_seq_len", "dev_stratification"}
        settings = {name: value for name, value in vars(processor).items() if name in names}
        return cls(processor.tokenizer, processor.max_seq_len, **settings)

    def texts_to_table(self, dicts: Sequence[object], default_ids: Sequence[str]) -> pa.Table:
        """As `Processor.texts_to_table`, with the columns of pairs."""
        pairs = np.array([_has_two(row) for row in dicts], np.bool_)
        single, double = (
            dicts_table(dicts, default_ids, tasks={}, max_text_chars=self.max_text_chars, pairs=of_pairs)
            for of_pairs in (False, True)
        )
        single = single.add_column(2, TEXT_B, pa.nulls(len(dicts), pa.string()))
        return pa.concat_tables([single, double]).take(pa.array(np.arange(len(dicts)) + len(dicts) * pairs))

    def featurize(self, dicts: pa.Table) -> pa.Table:
        """Stages 2 and 3 for single texts and pairs apart; rows in = rows out, in order."""
        if TEXT_B not in dicts.column_names:
            return super().featurize(dicts)
        pairs = pc.is_valid(one_array(dicts.column(TEXT_B)))
        single = super().featurize(dicts.filter(pc.invert(pairs)).drop_columns([TEXT_B]))
        double = super().featurize(dicts.filter(pairs))
        parts = [part for part in (single, double) if part.num_rows] or [double]
        if any(_SEGMENTS in part.column_names for part in parts):
            parts = [_with_segments(part) for part in parts]
        is_pair = pairs.to_numpy(zero_copy_only=False)
        places = np.argsort(np.concatenate([np.flatnonzero(~is_pair), np.flatnonzero(is_pair)]))
        return pa.concat_tables(parts, promote_options="default").take(pa.array(places))


def _has_two(row: object) -> bool:
    if not isinstance(row, dict):
        return False
    return row.get(TEXT_B) is not None or isinstance(row.get("text"), tuple | list)


def _with_segments(features: pa.Table) -> pa.Table:
    """With a column of zeros where there was none: a single text is one segment."""
    if _SEGMENTS in features.column_names:
        return features
    ids = one_array(features.column("input_ids"))
    zeros = pa.array(np.zeros(len(ids.values), np.int8))
    segments = pa.ListArray.from_arrays(ids.offsets, zeros)
    return features.add_column(features.column_names.index("input_ids") + 1, _SEGMENTS, segments)

"""Text rows: samples to token ids, in batches on the Rust tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import feature_schema, problems
from farm_ray.data_handler.columns import null_where_not, one_array
from farm_ray.data_handler.sample_columns import TEXT_B
from farm_ray.data_handler.samples_to_features.refused import problems_of
from farm_ray.errors import ConfigError
from farm_ray.modeling.tokenization.backend import Encoded, Text, encode_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.modeling.tokenization.protocol import TokenizerLike


def text_features(
    samples: pa.Table, *, tokenizer: TokenizerLike, max_seq_len: int, label_columns: Sequence[str]
) -> pa.Table:
    """Rows in = rows out, in order; rows with a problem have no tokens and null labels.

    Args:
        samples: Columns id, text, text_b where rows are pairs, the label columns, problem.
        tokenizer: A transformers tokenizer; it is not touched.
        max_seq_len: Tokens per row at most, special tokens counted; longer texts lose their right end, of a pair the
            longer one first.
        label_columns: Carried over as they are.

    Returns:
        `feature_schema.text_schema`.

    Raises:
        ConfigError: When `max_seq_len` leaves no room for text.
    """
    sound = problems.sound(samples)
    rows = np.flatnonzero(sound.to_numpy(zero_copy_only=False))
    first: list[str] = pc.filter(samples.column("text"), sound).to_pylist()
    texts: Sequence[Text] = first
    pairs = TEXT_B in samples.column_names
    if pairs:
        texts = list(zip(first, pc.filter(samples.column(TEXT_B), sound).to_pylist(), strict=True))
    encoded, failed = _encode(texts, tokenizer=tokenizer, max_seq_len=max_seq_len, pairs=pairs)
    lengths = np.zeros(samples.num_rows, np.int32)
    lengths[rows] = encoded.lengths
    clipped = np.zeros(samples.num_rows, np.bool_)
    clipped[rows] = encoded.clipped
    label_fields = [samples.schema.field(name) for name in label_columns]
    schema = feature_schema.text_schema(label_fields, segments=encoded.segments is not None)
    columns: dict[str, pa.Array] = {name: samples.column(name) for name in ("id", *label_columns)}
    columns |= {"input_ids": _ragged(encoded.ids, lengths), "n_tokens": lengths, "clipped": pa.array(clipped)}
    columns[problems.COLUMN] = problems_of(samples, {int(rows[place]): error for place, error in failed.items()})
    if encoded.segments is not None:
        columns["segment_ids"] = _ragged(encoded.segments, lengths)
    features = pa.table([columns[name] for name in schema.names], schema=schema)
    return _without_labels_of_failed(features, label_columns) if failed else features


def _encode(texts: Sequence[Text], **how: Any) -> tuple[Encoded, dict[int, Exception]]:
    """All texts at once; one by one when that fails, so that a text the tokenizer refuses harms no other."""
    try:
        return encode_texts(texts, **how), {}
    except ConfigError:
        raise
    except Exception:  # noqa: BLE001 - the Rust tokenizer raises bare Exceptions
        return _encode_one_by_one(texts, **how)


def _encode_one_by_one(texts: Sequence[Text], **how: Any) -> tuple[Encoded, dict[int, Exception]]:
    parts = [encode_texts([], **how)]
    lengths = np.zeros(len(texts), np.int32)
    clipped = np.zeros(len(texts), np.bool_)
    failed: dict[int, Exception] = {}
    for place, text in enumerate(texts):
        try:
            one = encode_texts([text], **how)
        except Exception as error:  # noqa: BLE001 - see above
            failed[place] = error
            continue
        parts.append(one)
        lengths[place], clipped[place] = one.lengths[0], one.clipped[0]
    segments = [part.segments for part in parts if part.segments is not None]
    ids = np.concatenate([part.ids for part in parts])
    return Encoded(ids, np.concatenate(segments) if segments else None, lengths, clipped), failed


def _ragged(values: npt.NDArray[np.generic], lengths: npt.NDArray[np.int32]) -> pa.ListArray:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def _without_labels_of_failed(features: pa.Table, label_columns: Sequence[str]) -> pa.Table:
    sound = problems.sound(features)
    for name in label_columns:
        kept = null_where_not(one_array(features.column(name)), sound)
        place = features.column_names.index(name)
        features = features.set_column(place, features.schema.field(place), kept)
    return features

"""The schema of features: what each column of a features table is. What it does not name is an error, not a tensor.

A column of a name below is known by it. Labels, and features of a processor of one's own, have any name: their fields
say by themselves what they are, in their metadata, which travels with the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler.problems import COLUMN, PROBLEM
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD_STARTS, TEXT_NUMBERS = "word_starts", "text_numbers"
_ROLE = b"farm_ray.role"


class Role(StrEnum):
    """What a column is for."""

    KEY = "key"
    """Says which row it is; never a tensor."""
    FACT = "fact"
    """About the row; never a tensor."""
    IDS = "ids"
    """One per token: indices of the encoder's embeddings."""
    MARKS = "marks"
    """One per token, for the encoder, for heads or for masking."""
    LABELS = "labels"
    """What heads are trained on."""
    OWN = "own"
    """Of a processor of one's own: what only models and heads of one's own read."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a features table."""

    name: str
    dtype: pa.DataType
    """Of each value."""
    ragged: bool
    """Whether rows have lists of different lengths, one value per token; others have values of one shape."""
    role: Role

    @property
    def is_tensor(self) -> bool:
        """Whether batches are made of it."""
        return self.role not in {Role.KEY, Role.FACT}


_KEYS = {"id": pa.string(), "dict_id": pa.string(), "window": pa.int32()}
_FACTS = {"n_tokens": pa.int32(), "clipped": pa.bool_(), COLUMN: PROBLEM}
_IDS = {"input_ids": pa.list_(pa.int32()), "segment_ids": pa.list_(pa.int8())}
_MARKS = {"initial_mask": pa.list_(pa.int8()), WORD_STARTS: pa.list_(pa.int8()), TEXT_NUMBERS: pa.list_(pa.int16())}
_LABELS = {"nextsentence_label_ids": pa.list_(pa.int64(), 1)}
_GIVEN_MARKS = ("padding_mask", "position_ids", "start_of_word", "special_tokens_mask")
"""Further names of FARM, which only processors of one's own give."""

_TYPES = _KEYS | _IDS | _MARKS | _LABELS | _FACTS
_ROLES = {
    **dict.fromkeys(_KEYS, Role.KEY),
    **dict.fromkeys(_FACTS, Role.FACT),
    **dict.fromkeys(_IDS, Role.IDS),
    **dict.fromkeys((*_MARKS, *_GIVEN_MARKS), Role.MARKS),
    **dict.fromkeys(_LABELS, Role.LABELS),
}
NEVER_GIVEN = frozenset({*_KEYS, *_FACTS, WORD_STARTS, TEXT_NUMBERS})
"""Names that features of a processor of one's own cannot have."""


def labels(field: pa.Field) -> pa.Field:
    """The field of a column of labels."""
    return field.with_metadata({_ROLE: Role.LABELS.value})


def own(field: pa.Field) -> pa.Field:
    """The field of a column that only models and heads of one's own read."""
    return field.with_metadata({_ROLE: Role.OWN.value})


def is_known(name: str) -> bool:
    """Whether a column of this name needs no mark."""
    return name in _ROLES


def text_schema(label_fields: Sequence[pa.Field], *, segments: bool) -> pa.Schema:
    """Features of text tasks, one row per sample.

    id; input_ids with special tokens, not padded; segment_ids of the same length where the tokenizer makes any;
    the labels as in the samples; n_tokens, the length of input_ids; clipped, true where tokens were cut off; problem.

    Args:
        label_fields: The label columns of the samples.
        segments: Whether there is a column `segment_ids`.
    """
    tokens = ["input_ids", *(["segment_ids"] if segments else [])]
    return _schema("id", *tokens, *map(labels, label_fields), *_FACTS)


def token_schema(label_fields: Sequence[pa.Field], *, segments: bool) -> pa.Schema:
    """Features of tasks on words, one row per window of a text.

    id (`{dict_id}-{window}`); dict_id, the id of the source row; window, its number from 0; input_ids with special
    tokens, not padded; segment_ids where the tokenizer makes any; initial_mask, 1 on the first token of each word that
    this window owns; the labels: one per token where words have labels; n_tokens; clipped, true where tokens were cut
    off a word; problem.

    Args:
        label_fields: The label columns, in order.
        segments: Whether there is a column `segment_ids`.
    """
    tokens = ["input_ids", *(["segment_ids"] if segments else []), "initial_mask"]
    return _schema(*_KEYS, *tokens, *map(labels, label_fields), *_FACTS)


def lm_schema(*, segments: bool, packing: bool, next_sentence: bool) -> pa.Schema:
    """Features of language models, one row per sequence; a document gives one or more, or one with its problem.

    id (`{document id}-{number}`, beside a problem the document's id); input_ids with special tokens, not padded and not
    masked; segment_ids; word_starts, 1 on the first token of a word, 0 inside a word, -1 on special tokens, which are
    never masked; text_numbers, 0, 0, ..., 1, 1, ...: which of the texts packed into the row a token is of;
    nextsentence_label_ids, 0 where the second text follows the first one, 1 where it is another document's; n_tokens;
    clipped, true where tokens were cut off; problem. Lists are null beside a problem.

    Args:
        segments: Whether there is a column `segment_ids`.
        packing: Whether there is a column `text_numbers`.
        next_sentence: Whether there is a column `nextsentence_label_ids`.
    """
    wanted = {"segment_ids": segments, TEXT_NUMBERS: packing, "nextsentence_label_ids": next_sentence}
    names = ("id", "input_ids", "segment_ids", WORD_STARTS, TEXT_NUMBERS, "nextsentence_label_ids", *_FACTS)
    return _schema(*(name for name in names if wanted.get(name, True)))


def _schema(*columns: str | pa.Field) -> pa.Schema:
    """Of columns known by their names, and of others' fields."""
    return pa.schema([pa.field(one, _TYPES[one]) if isinstance(one, str) else one for one in columns])


def features_of(schema: pa.Schema) -> tuple[Feature, ...]:
    """What each column of a features table is.

    Raises:
        ConfigError: For a column that neither its name nor its field says anything about, and for tensors that are no
            numbers.
    """
    return tuple(_feature(field) for field in schema)


def is_ragged(kind: pa.DataType) -> bool:
    """Whether a column of this type has lists of different lengths."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def is_complete(schema: pa.Schema) -> bool:
    """Whether all columns are named: features that an earlier version stored are not."""
    return all(_role_of(field) is not None for field in schema)


def _feature(field: pa.Field) -> Feature:
    role = _role_of(field)
    if role is None:
        raise ConfigError(
            f'the features have a column "{field.name}" that their schema does not name; mark its field with '
            "feature_schema.labels or feature_schema.own where the table is made, or leave the column out",
            code="unnamed-feature",
            column=field.name,
        )
    dtype, ragged = field.type, is_ragged(field.type)
    while is_ragged(dtype) or pa.types.is_fixed_size_list(dtype):
        dtype = dtype.value_type
    found = Feature(field.name, dtype, ragged, role)
    if found.is_tensor and not _is_number(dtype):
        raise ConfigError(
            f'the features column "{field.name}" holds {dtype}; tensors hold numbers',
            code="column-not-numbers",
            column=field.name,
        )
    return found


def _role_of(field: pa.Field) -> Role | None:
    marked = (field.metadata or {}).get(_ROLE)
    return _ROLES.get(field.name) if marked is None else Role(marked.decode())


def _is_number(dtype: pa.DataType) -> bool:
    return pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_boolean(dtype)

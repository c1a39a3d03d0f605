"""Features that a language model has no embeddings for, found before it reads them.

On a GPU an index outside of a table ends the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.errors import ConfigError, DataProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from farm_ray.data_handler.problems import Problem
    from farm_ray.data_handler.samples_to_features.padding import Padding

STAGE = "predict"
_WINDOW = "window"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How many embeddings of each kind a language model has; None where ids of that kind index no table."""

    tokens: int
    segments: int | None
    positions: int | None

    @classmethod
    def of(cls, language_model: Any) -> Bounds:
        """Those of a `LanguageModel`."""
        return cls(
            tokens=language_model.vocab_size,
            segments=language_model.segment_types,
            positions=language_model.max_positions,
        )


def check_padding(padding: Padding, bounds: Bounds) -> None:
    """Refuses a padding token without an embedding: every batch would hold it.

    Raises:
        ConfigError: Names its id.
    """
    if padding.pad_token_id >= bounds.tokens:
        raise ConfigError(
            f"the tokenizer pads with token id {padding.pad_token_id}, but the language model has {bounds.tokens} "
            "embeddings; give a padding token that it has: Tokenizer.load(..., pad_token=...)",
            code="token-outside-embeddings",
            value=padding.pad_token_id,
        )


def mark_beyond(features: pa.Table, bounds: Bounds) -> pa.Table:
    """The features with a problem on each row that the model cannot read; of a text in windows, on all of them.

    Args:
        features: Columns id, input_ids, n_tokens, problem, and maybe segment_ids and window, [F].
        bounds: Of the model.
    """
    found = _beyond(features, bounds)
    if not found:
        return features
    later: list[Problem | None] = [found.get(row) for row in range(features.num_rows)]
    if _WINDOW in features.column_names:
        texts = (np.cumsum(features.column(_WINDOW).to_numpy() == 0) - 1).tolist()
        of_text = {texts[row]: problem for row, problem in sorted(found.items(), reverse=True)}
        later = [of_text.get(text) for text in texts]
    place = features.column_names.index(problems.COLUMN)
    both = problems.first_of_each(problems.of(features), later)
    return features.set_column(place, features.schema.field(place), both)


def check_beyond(features: pa.Table, bounds: Bounds) -> None:
    """Refuses features with a row that the model cannot read.

    Raises:
        DataProblemError: Tells the first one.
    """
    found = _beyond(features, bounds)
    if found:
        first = found[min(found)]
        more = f" (and {len(found) - 1} rows more)" if len(found) > 1 else ""
        raise DataProblemError(f"{first.message}{more}", code="id-outside-embeddings", value=first.value)


def check_tables(tables: Iterable[pa.Table], bounds: Bounds) -> None:
    """As `check_beyond`, for several tables."""
    for table in tables:
        check_beyond(table, bounds)


def _beyond(features: pa.Table, bounds: Bounds) -> dict[int, Problem]:
    """Position of a row -> its first problem."""
    found: dict[int, Problem] = {}
    ids = features.column("id")

    def note(rows: dict[int, int], kind: str, reason: str) -> None:
        for row, value in rows.items():
            row_id = ids[row].as_py()
            message = f"{row_id}: {reason.format(value)}"
            found.setdefault(row, problems.at(row_id, stage=STAGE, kind=kind, message=message, value=value))

    hint = "use the tokenizer that the model was trained with, or train with n_added_tokens"
    reason = f"token id {{}} has no embedding (the language model has {bounds.tokens}); {hint}"
    note(_outside(features.column("input_ids"), bounds.tokens), "unknown token id", reason)
    if bounds.segments is not None and "segment_ids" in features.column_names:
        reason = f"segment id {{}} has no embedding (the language model has {bounds.segments}); give smaller ones"
        note(_outside(features.column("segment_ids"), bounds.segments), "unknown segment id", reason)
    if bounds.positions is not None:
        lengths = features.column("n_tokens").to_numpy()
        rows = {int(row): int(lengths[row]) for row in np.flatnonzero(lengths > bounds.positions)}
        reason = f"{{}} tokens, but the language model has {bounds.positions} positions; cut the text"
        note(rows, "too many tokens", reason)
    return found


def _outside(column: pa.ChunkedArray, number: int) -> dict[int, int]:
    """Position of a row -> its first value that is not 0 to `number` - 1; null rows have none."""
    found: dict[int, int] = {}
    before = 0
    for chunk in column.chunks:
        values: Any = pc.list_flatten(chunk).to_numpy(zero_copy_only=False)
        if len(values) and (values.min() < 0 or values.max() >= number):
            rows = pc.list_parent_indices(chunk).to_numpy(zero_copy_only=False)
            for place in np.flatnonzero((values < 0) | (values >= number)).tolist():
                found.setdefault(before + int(rows[place]), int(values[place]))
        before += len(chunk)
    return found

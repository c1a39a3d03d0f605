"""FARM's way from tags of words to entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.modeling.prediction_head.entities import entities_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.given_rows import Row, RowDict


def convert_iob_to_simple_tags(
    preds: Sequence[str], spans: Sequence[Row], probs: Sequence[Any] | None = None
) -> tuple[list[str], list[RowDict], list[Any]]:
    """The types, spans and probabilities of the entities of one text.

    An entity's probability is that of its least certain word; FARM took the word behind it.

    Args:
        preds: A tag per word: `B-PER`, `I-PER`, `O`.
        spans: Dicts with `start` and `end` of each word; not changed.
        probs: The probability of each word's tag; None stands for 1.
    """
    places = [(span["start"], span["end"]) for span in spans]
    found = entities_of(preds, places, [1.0] * len(preds) if probs is None else probs)
    return (
        [entity.label for entity in found],
        [{"start": entity.start, "end": entity.end} for entity in found],
        [entity.probability for entity in found],
    )

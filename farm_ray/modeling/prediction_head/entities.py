"""From one tag per word to the entities of a text. Plain functions of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Span = tuple[int, int]

_OUTSIDE = "O"
_BEGIN, _INSIDE = "B-", "I-"
_OTHER_PREFIXES = {"S-": _BEGIN, "U-": _BEGIN, "E-": _INSIDE, "L-": _INSIDE}
"""Of BIOES and BILOU: entities of one word, and last words."""


class Entity(NamedTuple):
    """Words that belong together."""

    label: str
    """The type alone: `PER` for `B-PER I-PER`."""
    start: int
    """Where the first word starts, in the units of the spans."""
    end: int
    """Where the last word ends."""
    probability: Any
    """That of the entity's least certain word: a number, or that word's probabilities of all tags."""


def convert_iob_to_simple_tags(
    preds: Sequence[str], spans: Sequence[Span], probs: Sequence[object]
) -> tuple[list[str], list[Span], list[object]]:
    """Types, spans and probabilities of the entities in one text; see `entities_of`.

    Args:
        preds: One tag per word.
        spans: Start and end of each word.
        probs: The probability of each word's tag, or those of all tags.
    """
    found = entities_of(preds, spans, probs)
    return (
        [entity.label for entity in found],
        [(entity.start, entity.end) for entity in found],
        [entity.probability for entity in found],
    )


def is_iob(tags: Iterable[str]) -> bool:
    """Whether some tag begins or continues an entity."""
    return any(tag.startswith((_BEGIN, _INSIDE)) for tag in tags)


def in_iob2(tags: Sequence[str], labels: Iterable[str]) -> list[str]:
    """The tags of one text with B- at the start of entities and I- inside, whatever the scheme of the label list.

    Of BIOES and BILOU, S- and U- are read as B-, E- and L- as I-. Where a type has no B- at all (IO), an I- that is not
    right behind another of its type is read as B-. Other tags stay as they are.

    Args:
        tags: One tag per word, [W].
        labels: All tags that there are.
    """
    types = {label[len(_BEGIN) :] for label in labels if label.startswith(_BEGIN)}
    read = []
    before = _OUTSIDE
    for tag in tags:
        prefix, kind = tag[: len(_BEGIN)], tag[len(_BEGIN) :]
        if kind in types:
            prefix = _OTHER_PREFIXES.get(prefix, prefix)
        elif prefix == _INSIDE and before != tag:
            prefix = _BEGIN
        read.append(prefix + kind)
        before = tag
    return read


def entities_of(
    preds: Sequence[str], spans: Sequence[Span], probs: Sequence[object], *, iob: bool | None = None
) -> list[Entity]:
    """The entities of one text, in order.

    Where a tag starts with B- or I-: a B- opens an entity, each I- of the same type after it makes it longer, and any
    other tag ends it; an I- that no open entity of its type stands before is left out, as is every other tag. Where
    none does, tags are no parts of entities: every word whose tag is not O comes out by itself.

        B-PER I-PER O B-LOC I-ORG  ->  PER over words 0 and 1, LOC over word 3

    Args:
        preds: One tag per word, [W].
        spans: Start and end of each word, [W].
        probs: The probability of each word's tag, [W], or those of all tags, [W, C].
        iob: Whether the tags are of a scheme with B- and I-; None: where one of these has them. In such a scheme a
            text without them has no entities, whatever else was predicted ("X", "[PAD]").
    """
    words = [Entity(tag, *span, prob) for tag, span, prob in zip(preds, spans, probs, strict=True)]
    if is_iob(preds) if iob is None else iob:
        return [_joined(group) for group in _groups(words)]
    return [word for word in words if word.label != _OUTSIDE]


def _groups(words: Iterable[Entity]) -> list[list[Entity]]:
    """The words of each entity."""
    groups: list[list[Entity]] = []
    open_type: str | None = None
    for word in words:
        kind = word.label[len(_BEGIN) :]
        if word.label.startswith(_BEGIN):
            groups.append([word])
            open_type = kind
        elif word.label.startswith(_INSIDE) and kind == open_type:
            groups[-1].append(word)
        else:
            open_type = None
    return groups


def _joined(words: Sequence[Entity]) -> Entity:
    weakest = min(words, key=lambda word: float(np.max(word.probability)))
    return Entity(words[0].label[len(_BEGIN) :], words[0].start, words[-1].end, weakest.probability)

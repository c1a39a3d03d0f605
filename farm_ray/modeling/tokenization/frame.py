"""The special tokens that a tokenizer puts around a text, or around and between the two of a pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm_ray.modeling.tokenization.backend import has_backend, private_copy

if TYPE_CHECKING:
    from farm_ray.modeling.tokenization.protocol import TokenizerLike


@dataclass(frozen=True, slots=True)
class Frame:
    """Special tokens before and after a text, and the segment of each."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    segments_before: tuple[int, ...]
    segment_of_text: int
    segments_after: tuple[int, ...]

    @property
    def size(self) -> int:
        """Special tokens in all."""
        return len(self.before) + len(self.after)

    @property
    def has_segments(self) -> bool:
        """True where a segment is not 0: XLNet's class token, for example."""
        return any((*self.segments_before, self.segment_of_text, *self.segments_after))


def frame_of(tokenizer: TokenizerLike) -> Frame:
    """The frame of a transformers tokenizer, fast or slow; the tokenizer is not touched."""
    if has_backend(tokenizer):
        encoding = private_copy(tokenizer).encode("a")
        ids, segments = encoding.ids, encoding.type_ids
        start = encoding.special_tokens_mask.index(0)
        end = len(ids) - encoding.special_tokens_mask[::-1].index(0)
    else:
        text = tokenizer.convert_tokens_to_ids(tokenizer.tokenize("a"))
        framed = tokenizer.prepare_for_model(text, return_token_type_ids=True)
        ids, segments = list(framed["input_ids"]), list(framed["token_type_ids"])
        start = next(place for place in range(len(ids)) if ids[place : place + len(text)] == text)
        end = start + len(text)
    return Frame(tuple(ids[:start]), tuple(ids[end:]), tuple(segments[:start]), segments[start], tuple(segments[end:]))


@dataclass(frozen=True, slots=True)
class PairFrame:
    """Special tokens before, between and after the two texts of a pair, and the segment of each."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    segments_before: tuple[int, ...]
    segment_of_a: int
    segments_between: tuple[int, ...]
    segment_of_b: int
    segments_after: tuple[int, ...]

    @property
    def size(self) -> int:
        """Special tokens in all."""
        return len(self.before) + len(self.between) + len(self.after)


def pair_frame_of(tokenizer: TokenizerLike) -> PairFrame:
    """The frame of pairs of a fast transformers tokenizer, which is not touched."""
    encoding = private_copy(tokenizer).encode("a", "a")
    ids, segments, sequences = tuple(encoding.ids), tuple(encoding.type_ids), encoding.sequence_ids
    a, b = sequences.index(0), sequences.index(1)
    behind_a, behind_b = (len(ids) - sequences[::-1].index(text) for text in (0, 1))
    return PairFrame(
        before=ids[:a],
        between=ids[behind_a:b],
        after=ids[behind_b:],
        segments_before=segments[:a],
        segment_of_a=segments[a],
        segments_between=segments[behind_a:b],
        segment_of_b=segments[b],
        segments_after=segments[behind_b:],
    )

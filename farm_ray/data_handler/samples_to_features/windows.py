"""Texts that are longer than a model reads, cut at word borders into windows which overlap. Array offsets only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of texts, text after text and in order; words are counted through all texts. All arrays [windows].

    A window shows the words from `first` up to `end` and owns those from `own_first` up to `own_end`; the others are
    context. Every word is owned by exactly one window.
    """

    text: Numbers
    """Number of the text."""
    first: Numbers
    end: Numbers
    own_first: Numbers
    own_end: Numbers

    def __len__(self) -> int:
        return len(self.text)


def cut_windows(
    tokens_per_word: npt.NDArray[np.generic], words_per_text: npt.NDArray[np.integer], *, room: int, overlap: int
) -> Windows:
    """The windows of each text; a text that fits is one window that owns all its words.

    Two neighbours share up to `overlap` tokens; words before the middle of what they share belong to the first, the
    others to the second.

    Args:
        tokens_per_word: 1 to `room`, [words].
        words_per_text: [texts]; a text without words has one empty window.
        room: Tokens per window at most.
        overlap: Tokens of context that neighbours share at most, below `room`.
    """
    tokens_before = np.concatenate([[0], np.cumsum(tokens_per_word, dtype=np.int64)])
    ends = np.cumsum(words_per_text, dtype=np.int64)
    starts = ends - words_per_text
    whole = np.stack([np.arange(len(ends)), starts, ends, starts, ends])
    is_long = tokens_before[ends] - tokens_before[starts] > room
    if not is_long.any():
        return Windows(*whole)
    pieces = [
        (text, *(starts[text] + np.array(piece)))
        for text in np.flatnonzero(is_long).tolist()
        for piece in _cut(tokens_before[starts[text] : ends[text] + 1], room, overlap)
    ]
    columns = np.concatenate([whole[:, ~is_long], np.array(pieces, np.int64).T], axis=1)
    return Windows(*columns[:, np.argsort(columns[0], kind="stable")])


def _cut(tokens_before: Numbers, room: int, overlap: int) -> Iterator[tuple[int, int, int, int]]:
    """The windows of one text as (first, end, own_first, own_end).

    Args:
        tokens_before: Tokens before each word, and all of them at the end, [words + 1]; ascending.
        room: Tokens per window at most.
        overlap: Tokens that neighbours share at most.
    """
    words = len(tokens_before) - 1
    first = own_first = 0
    while True:
        end = int(np.searchsorted(tokens_before, tokens_before[first] + room, side="right")) - 1
        if end == words:
            yield first, end, own_first, end
            return
        # The next window has to show the word at `end`, whatever is left for context.
        earliest = max(tokens_before[end] - overlap, tokens_before[end + 1] - room)
        next_first = int(np.searchsorted(tokens_before, earliest))
        middle = (tokens_before[next_first] + tokens_before[end]) / 2
        border = max(int(np.searchsorted(tokens_before, middle)), own_first + 1)
        yield first, end, own_first, border
        first, own_first = next_first, border

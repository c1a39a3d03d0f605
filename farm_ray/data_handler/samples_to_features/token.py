"""Text rows whose words have labels: samples to windows of token ids, every word owned by one window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import feature_schema, problems
from farm_ray.data_handler.columns import null_where_not, one_array
from farm_ray.data_handler.samples_to_features.refused import problems_of
from farm_ray.data_handler.samples_to_features.windows import Windows, cut_windows
from farm_ray.modeling.tokenization.backend import check_room
from farm_ray.modeling.tokenization.frame import Frame, frame_of
from farm_ray.modeling.tokenization.words import EncodedWords, encode_words, ranges, split_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.modeling.tokenization.protocol import TokenizerLike


IGNORED = -100
"""Label of tokens that are not learned."""

_CONTEXT_SHARE = 4
"""By default neighbouring windows share a quarter of their tokens."""


def token_features(
    samples: pa.Table,
    *,
    tokenizer: TokenizerLike,
    max_seq_len: int,
    overlap: int | None,
    label_columns: Sequence[str],
    inner_labels: Mapping[str, int],
) -> pa.Table:
    """One row per window, in the order of the samples; a row with a problem gives one window without tokens.

    Args:
        samples: Columns id, text, the label columns, problem.
        tokenizer: A transformers tokenizer; it is not touched.
        max_seq_len: Tokens per window at most, special tokens counted. Longer texts are cut at word borders; of a
            word that is longer than a window the first tokens are kept.
        overlap: Tokens that neighbouring windows share at most; None takes a quarter of a window.
        label_columns: Labels of words (list<int32>), which go to the first token of each word, and labels of whole
            rows, the same in each window.
        inner_labels: Column of labels of words -> label of special tokens and of the later tokens of words. Tokens of
            words that another window owns get -100.

    Returns:
        `feature_schema.token_schema`.

    Raises:
        ConfigError: When `max_seq_len` leaves no room for text.
    """
    check_room(tokenizer, max_seq_len)
    frame = frame_of(tokenizer)
    room = max_seq_len - frame.size
    sound = problems.sound(samples).to_numpy(zero_copy_only=False)
    encoded = encode_words(split_texts(one_array(samples.column("text").filter(pa.array(sound)))), tokenizer=tokenizer)
    rows = np.flatnonzero(sound)
    words_per_row = np.zeros(samples.num_rows, np.int64)
    words_per_row[rows] = encoded.words_per_text
    refused = {int(rows[text]): reason for text, reason in encoded.refused.items()}
    # From here on a row with a problem is a text without words: it gets one empty window.
    windows = cut_windows(
        np.minimum(encoded.tokens_per_word, room), words_per_row, room=room, overlap=shared_tokens(overlap, room)
    )
    layout = _lay_out(encoded, windows, frame, room)
    source = pa.array(windows.text)
    dict_ids = one_array(samples.column("id").take(source))
    numbers = _numbers(windows.text)
    has_words = pa.array(words_per_row > 0)
    columns: dict[str, pa.Array] = {
        "id": pc.binary_join_element_wise(dict_ids, pa.array(numbers).cast(pa.string()), "-"),
        "dict_id": dict_ids,
        "window": numbers,
        "input_ids": layout.column(layout.framed(encoded.ids, frame.before, frame.after)),
        "initial_mask": layout.column(layout.initial_mask()),
        "n_tokens": layout.lengths.astype(np.int32),
        "clipped": pa.array(layout.clipped),
        problems.COLUMN: problems_of(samples, refused).take(source),
    }
    if frame.has_segments:
        inside = np.full(len(encoded.ids), frame.segment_of_text, np.int8)
        segments = layout.framed(inside, frame.segments_before, frame.segments_after)
        columns["segment_ids"] = layout.column(segments)
    for name in label_columns:
        labels = one_array(samples.column(name))
        if name in inner_labels:
            ids = pc.list_flatten(labels.filter(has_words)).to_numpy()
            columns[name] = layout.column(layout.labels(ids, inner=inner_labels[name]))
        else:
            columns[name] = null_where_not(labels, has_words).take(source)
    fields = [samples.schema.field(name) for name in label_columns]
    schema = feature_schema.token_schema(fields, segments=frame.has_segments)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def shared_tokens(overlap: int | None, room: int) -> int:
    """Tokens that neighbouring windows of `room` tokens share at most."""
    return room // _CONTEXT_SHARE if overlap is None else min(overlap, room - 1)


def words_of_windows(
    text: str, *, tokenizer: TokenizerLike, max_seq_len: int, overlap: int | None
) -> list[tuple[list[int | None], range]]:
    """Per window of a text the word of each token (None for special tokens), and the words it owns, counted from 0."""
    frame = frame_of(tokenizer)
    room = max_seq_len - frame.size
    encoded = encode_words(split_texts(pa.array([text], pa.string())), tokenizer=tokenizer)
    tokens = np.minimum(encoded.tokens_per_word, room)
    windows = cut_windows(tokens, encoded.words_per_text, room=room, overlap=shared_tokens(overlap, room))
    found: list[tuple[list[int | None], range]] = []
    columns = (windows.first, windows.end, windows.own_first, windows.own_end)
    for first, end, own_first, own_end in zip(*(column.tolist() for column in columns), strict=True):
        inside = np.repeat(np.arange(first, end), tokens[first:end]).tolist()
        of_tokens = [*[None] * len(frame.before), *inside, *[None] * len(frame.after)]
        found.append((of_tokens, range(own_first, own_end)))
    return found


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything stands when all windows' tokens are written one window after the other, [places].

    A word stands there once for each window that shows it: [shown].
    """

    lengths: npt.NDArray[np.int64]
    """Tokens of each window with its special tokens, 0 for a window without words, [windows]."""
    clipped: npt.NDArray[np.bool_]
    """[windows]"""
    word: npt.NDArray[np.int64]
    """Number of each word shown, [shown]."""
    owned: npt.NDArray[np.bool_]
    """True where the window owns the word, [shown]."""
    tokens: npt.NDArray[np.int64]
    """Tokens of each word shown, [shown]."""
    token: npt.NDArray[np.int64]
    """Number of each token shown, [tokens shown]."""
    place: npt.NDArray[np.int64]
    """Where each token shown stands, [tokens shown]."""

    def column(self, values: npt.NDArray[np.generic]) -> pa.ListArray:
        """Values at all places as a list per window."""
        offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values))

    def framed(
        self, values: npt.NDArray[np.generic], before: Sequence[int], after: Sequence[int]
    ) -> npt.NDArray[np.generic]:
        """Values of tokens at their places, between those of the special tokens, [places]."""
        placed = np.empty(int(self.lengths.sum()), values.dtype)
        placed[self.place] = values[self.token]
        ends = np.cumsum(self.lengths)[self.lengths > 0]
        starts = ends - self.lengths[self.lengths > 0]
        for position, value in enumerate(before):
            placed[starts + position] = value
        for position, value in enumerate(after):
            placed[ends - len(after) + position] = value
        return placed

    def initial_mask(self) -> npt.NDArray[np.int8]:
        """1 on the first token of each owned word, [places]."""
        mask = np.zeros(int(self.lengths.sum()), np.int8)
        mask[self._first_places()[self.owned]] = 1
        return mask

    def labels(self, of_words: npt.NDArray[np.generic], *, inner: int) -> npt.NDArray[np.int32]:
        """Labels of words on the first tokens of owned words, `inner` on all others but those of context, [places]."""
        labels = np.full(int(self.lengths.sum()), inner, np.int32)
        labels[self.place[np.repeat(~self.owned, self.tokens)]] = IGNORED
        labels[self._first_places()[self.owned]] = of_words[self.word[self.owned]]
        return labels

    def _first_places(self) -> npt.NDArray[np.int64]:
        return self.place[np.cumsum(self.tokens) - self.tokens]


def _lay_out(encoded: EncodedWords, windows: Windows, frame: Frame, room: int) -> _Layout:
    shown = windows.end - windows.first
    word = ranges(windows.first, shown)
    window = np.repeat(np.arange(len(windows)), shown)
    tokens = np.minimum(encoded.tokens_per_word[word], room)
    inside = np.bincount(window, tokens, minlength=len(windows)).astype(np.int64)
    lengths = np.where(inside > 0, inside + frame.size, 0)
    starts = np.cumsum(lengths) - lengths
    first_token = np.cumsum(encoded.tokens_per_word) - encoded.tokens_per_word
    too_long = encoded.tokens_per_word[word] > room
    return _Layout(
        lengths=lengths,
        clipped=np.bincount(window[too_long], minlength=len(windows)) > 0,
        word=word,
        owned=(windows.own_first[window] <= word) & (word < windows.own_end[window]),
        tokens=tokens,
        token=ranges(first_token[word], tokens),
        place=ranges(starts + len(frame.before), inside),
    )


def _numbers(text: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Each window's number within its text, [windows]."""
    places = np.arange(len(text))
    begins = np.diff(text, prepend=-1) > 0
    return (places - np.maximum.accumulate(np.where(begins, places, 0))).astype(np.int32)

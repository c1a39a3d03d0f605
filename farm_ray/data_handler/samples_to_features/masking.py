"""Masked language modelling: which tokens of a batch are predicted, and what the model sees in their place."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError
from farm_ray.reproducibility import random_bits, random_floats, splitmix64

Ids = npt.NDArray[np.int64]

CountRule = Literal["real_tokens", "farm"]
COUNT_RULES = ("real_tokens", "farm")
NOT_PREDICTED = -1

_WORDS, _ACTIONS, _REPLACEMENTS = 30, 31, 32
"""Streams of random numbers."""

_MASKED_SHARE, _REPLACED_BELOW = 0.8, 0.9
_FARM_MOST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Masking:
    """How tokens are masked.

    Raises:
        ConfigError: On values that are invalid.
    """

    mask_token_id: int
    vocab_size: int
    """Replacements are drawn from the ids below it."""
    special_ids: tuple[int, ...] = ()
    """Ids that are never drawn as a replacement."""
    masked_lm_prob: float = 0.15
    """Share of tokens to predict, above 0 to below 1."""
    whole_words: bool = True
    """Predict all tokens of a word or none."""
    count_rule: CountRule = "real_tokens"
    """real_tokens: the share of a row's own tokens, special ones not counted; farm: of `max_seq_len` tokens, for any
    row."""
    max_predictions: int | None = None
    """Tokens to predict per row at most; None for no limit."""
    max_seq_len: int | None = None
    """For the rule of FARM."""
    seed: int = 42

    def __post_init__(self) -> None:
        check_share(self.masked_lm_prob)
        if self.count_rule not in COUNT_RULES:
            raise ConfigError(
                f"mask_count_rule must be one of {', '.join(COUNT_RULES)}, not {self.count_rule!r}",
                code="invalid-value",
                option="mask_count_rule",
                value=self.count_rule,
            )
        if self.count_rule == "farm" and self.max_seq_len is None:
            raise ConfigError(
                'the mask count rule "farm" needs max_seq_len', code="missing-option", option="max_seq_len"
            )


def check_share(masked_lm_prob: object) -> None:
    """Raises ConfigError for a share of masked tokens that are invalid."""
    if not isinstance(masked_lm_prob, int | float) or not 0 < masked_lm_prob < 1:
        raise ConfigError(
            f"masked_lm_prob must be a share above 0 and below 1, not {masked_lm_prob!r}",
            code="invalid-value",
            option="masked_lm_prob",
            value=masked_lm_prob,
        )


def farm_limit(rule: CountRule) -> int | None:
    """FARM predicts 20 tokens per row at most."""
    return _FARM_MOST if rule == "farm" else None


def masked(
    input_ids: Ids,
    word_starts: npt.NDArray[np.integer],
    row_hashes: npt.NDArray[np.uint64],
    masking: Masking,
    epoch: int,
) -> tuple[Ids, Ids]:
    """The ids with some tokens masked, and the labels: the original id where a token is predicted, else -1.

    Words are taken in random order while they fit into the row's count; one that would overshoot is left out. Of the
    tokens taken 80 % become the mask token, 10 % a random id, 10 % stay. All is a function of seed, epoch, row hash and
    place in the row, so a row is masked alike in any batch.

    Args:
        input_ids: [B, T]; not changed.
        word_starts: 1 on the first token of a word, 0 inside a word, -1 on special tokens and padding, [B, T].
        row_hashes: [B]
        masking: How.
        epoch: The pass over the data, from 0.

    Returns:
        ids [B, T] and labels [B, T], int64.
    """
    real = word_starts >= 0
    ids = input_ids.astype(np.int64)
    if not real.any():
        return ids, np.full(ids.shape, NOT_PREDICTED)
    # Places count from a row's first token of text, so that padding on the left does not matter.
    places = np.arange(ids.shape[1]) - real.argmax(axis=1)[:, None]
    keys = splitmix64(row_hashes)[:, None] + places.astype(np.uint64)
    begins = _begins(word_starts, real) if masking.whole_words else real
    taken = _taken(begins, real, keys, _counts(real, masking), masking, epoch)
    rows, columns = np.nonzero(taken)
    labels = np.full(ids.shape, NOT_PREDICTED)
    labels[rows, columns] = ids[rows, columns]
    drawn = keys[rows, columns]
    action = random_floats(masking.seed, epoch, drawn, stream=_ACTIONS)
    allowed = _replacements(masking.vocab_size, masking.special_ids)
    number = random_floats(masking.seed, epoch, drawn, stream=_REPLACEMENTS) * len(allowed)
    replacement = np.where(action < _MASKED_SHARE, masking.mask_token_id, allowed[number.astype(np.int64)])
    ids[rows, columns] = np.where(action < _REPLACED_BELOW, replacement, ids[rows, columns])
    return ids, labels


def same_text(text_numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.int8]:
    """Which token may look at which in rows of several texts: 1 within a text, padding (-1) at itself, [B, T, T]."""
    together = (text_numbers[:, :, None] == text_numbers[:, None, :]) & (text_numbers >= 0)[:, :, None]
    together[:, np.arange(text_numbers.shape[1]), np.arange(text_numbers.shape[1])] = True
    return together.astype(np.int8)


def positions_in_text(text_numbers: npt.NDArray[np.integer]) -> Ids:
    """Each token's place in its text, from 0; 0 on padding (-1), [B, T]."""
    places = np.broadcast_to(np.arange(text_numbers.shape[1]), text_numbers.shape)
    begins = np.diff(text_numbers, axis=1, prepend=-2) != 0
    first = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    return np.where(text_numbers >= 0, places - first, 0)


def _counts(real: npt.NDArray[np.bool_], masking: Masking) -> Ids:
    """Tokens to predict per row at most, [B]."""
    tokens = real.sum(axis=1)
    of = tokens if masking.count_rule == "real_tokens" else np.full(len(tokens), masking.max_seq_len)
    counts = np.maximum(1, np.rint(of * masking.masked_lm_prob).astype(np.int64))
    return counts if masking.max_predictions is None else np.minimum(counts, masking.max_predictions)


def _begins(word_starts: npt.NDArray[np.generic], real: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """First tokens of words, [B, T]; what follows a special token begins a word."""
    before = np.zeros_like(real)
    before[:, 1:] = real[:, :-1]
    return real & ((word_starts == 1) | ~before)


def _taken(
    begins: npt.NDArray[np.bool_],
    real: npt.NDArray[np.bool_],
    keys: npt.NDArray[np.uint64],
    counts: Ids,
    masking: Masking,
    epoch: int,
) -> npt.NDArray[np.bool_]:
    """The tokens that are predicted, [B, T]."""
    rows, columns = np.nonzero(begins)
    order = np.lexsort((random_bits(masking.seed, epoch, keys[rows, columns], stream=_WORDS), rows))
    # A token's word, counted through all rows; words stand in the order of the rows.
    word = np.cumsum(begins.ravel()).reshape(begins.shape) - 1
    sizes = np.bincount(word[real], minlength=len(rows))
    chosen = np.zeros(len(rows), np.bool_)
    chosen[order] = _fitting(sizes[order], np.bincount(rows, minlength=len(counts)), counts)
    return real & chosen[np.maximum(word, 0)]


def _fitting(sizes: Ids, words: Ids, counts: Ids) -> npt.NDArray[np.bool_]:
    """Which words are taken: row by row, in order, those that still fit, [all rows' words].

    Args:
        sizes: Tokens of each word, [all rows' words].
        words: Words of each row, [B].
        counts: Tokens to take of each row at most, [B].
    """
    ends = np.cumsum(words)
    sums = np.concatenate([[0], np.cumsum(sizes)])
    first = ends - words
    row = np.repeat(np.arange(len(words)), words)
    # All before the first word that overshoots ...
    taken = sums[1:] - sums[first][row] <= counts[row]
    at = first + np.bincount(row[taken], minlength=len(words))
    left = counts - (sums[at] - sums[first])
    # ... and of the others, step by step for all rows at once, those that fit.
    open_rows = np.flatnonzero((left > 0) & (at < ends))
    while len(open_rows):
        here = at[open_rows]
        fits = sizes[here] <= left[open_rows]
        taken[here] = fits
        left[open_rows] -= np.where(fits, sizes[here], 0)
        at[open_rows] += 1
        open_rows = open_rows[(left[open_rows] > 0) & (at[open_rows] < ends[open_rows])]
    return taken


@functools.lru_cache(maxsize=8)
def _replacements(vocab_size: int, special_ids: tuple[int, ...]) -> Ids:
    """The ids that may be drawn."""
    return np.setdiff1d(np.arange(vocab_size), special_ids)

"""Cutting one or two sequences to a length, with room for the special tokens that come later."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError, DataProblemError

if TYPE_CHECKING:
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

A = TypeVar("A")
B = TypeVar("B")

STRATEGIES = ("longest_first", "only_first", "only_second", "do_not_truncate")


def truncate_sequences(
    seq_a: list[A],
    seq_b: list[B] | None,
    tokenizer: TokenizerLike,
    max_seq_len: int,
    truncation_strategy: str = "longest_first",
    with_special_tokens: bool = True,
    stride: int = 0,
) -> tuple[list[A], list[B] | None, list[A]]:
    """Cuts the right ends until both sequences and their special tokens fit; the arguments are not changed.

    Args:
        seq_a: Tokens, offsets, masks: any elements, one per token.
        seq_b: A second sequence, or None.
        tokenizer: Tells how many special tokens it adds (`num_special_tokens_to_add`).
        max_seq_len: Elements left at most, special tokens counted.
        truncation_strategy: `longest_first` (one element at a time from the longer one, of equals from b),
            `only_first`, `only_second` or `do_not_truncate`.
        with_special_tokens: Leave room for special tokens.
        stride: How many kept elements of `seq_a` the overflow repeats before the removed ones.

    Returns:
        The cut `seq_a`, the cut `seq_b`, and the overflow: elements of `seq_a` only, in their order.

    Raises:
        ConfigError: On an unknown strategy.
        DataProblemError: When the strategy cannot remove enough, or may not remove any.
    """
    if truncation_strategy not in STRATEGIES:
        hint = nearest(truncation_strategy, STRATEGIES)
        raise ConfigError(
            f'unknown truncation_strategy "{truncation_strategy}"{hint}',
            code="invalid-value",
            option="truncation_strategy",
            value=truncation_strategy,
        )
    n_special = tokenizer.num_special_tokens_to_add(pair=seq_b is not None) if with_special_tokens else 0
    length_a, length_b = len(seq_a), 0 if seq_b is None else len(seq_b)
    surplus = length_a + length_b + n_special - max_seq_len
    if surplus <= 0:
        return seq_a, seq_b, []
    keep_a, keep_b = _kept(length_a, length_b, surplus, truncation_strategy)
    if min(keep_a, keep_b) < 0 or (truncation_strategy == "only_first" and keep_a == 0):
        raise DataProblemError(
            f"{truncation_strategy} cannot remove {surplus} elements from sequences of {length_a} and {length_b}; "
            "use longest_first or a greater max_seq_len",
            code="cannot-truncate",
            value=surplus,
        )
    overflow = seq_a[max(0, keep_a - stride) :] if keep_a < length_a else []
    return seq_a[:keep_a], None if seq_b is None else seq_b[:keep_b], overflow


def _kept(length_a: int, length_b: int, surplus: int, strategy: str) -> tuple[int, int]:
    """How many elements stay of each sequence; negative where a strategy cannot remove enough."""
    if strategy == "only_first":
        return length_a - surplus, length_b
    if strategy == "only_second":
        return length_a, length_b - surplus
    if strategy == "do_not_truncate":
        return -1, -1
    total = length_a + length_b - surplus
    if total < 0:
        return -1, -1
    # One at a time from the longer one, of equals from b: first down to equal lengths, then in turns.
    keep_a = min(length_a, max(total - length_b, total - total // 2))
    return keep_a, total - keep_a

"""Elements that must line up with the special tokens of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def insert_at_special_tokens_pos(seq: Sequence[T], special_tokens_mask: Sequence[int], insert_element: T) -> list[T]:
    """`seq` with `insert_element` at every special token, [length of the mask]; `seq` itself is not changed.

    `insert_at_special_tokens_pos([12, 200], [1, 0, 0, 1], -1)` is `[-1, 12, 200, -1]`.

    Args:
        seq: One element per ordinary token.
        special_tokens_mask: 1 for a special token, 0 for an ordinary one.
        insert_element: What special tokens get.

    Raises:
        DataProblemError: When `seq` does not have one element per 0 in the mask.
    """
    ordinary = sum(not special for special in special_tokens_mask)
    if ordinary != len(seq):
        raise DataProblemError(
            f"{len(seq)} elements for {ordinary} ordinary tokens in special_tokens_mask; give one for each 0",
            code="lengths-differ",
            value=len(seq),
        )
    remaining = iter(seq)
    return [insert_element if special else next(remaining) for special in special_tokens_mask]

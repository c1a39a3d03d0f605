"""What predictions of heads and vectors have in common: one answer or one problem per row, in several forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from farm_ray.plain import PlainDict


class Answers(Protocol):
    """The answers for a table of N rows, in their order. See `Predictions` and `Vectors` for the forms."""

    @property
    def table(self) -> pa.Table:
        """id, text, for pairs text_b, clipped and problem, [N]."""

    def to_json(self, *, return_class_probs: bool = False) -> list[PlainDict]:
        """FARM's form."""

    def to_table(self, *, return_class_probs: bool = False) -> pa.Table:
        """Flat rows, [N]."""

    def to_json_table(self, *, return_class_probs: bool = False) -> pa.Table:
        """What `to_json` gives, as a table that can travel, [N]."""

    def read_json_table(self, table: pa.Table, *, return_class_probs: bool = False) -> list[PlainDict]:
        """What `to_json` of other rows gave, from a table of `to_json_table`."""

    @staticmethod
    def joined(results: Iterable[list[PlainDict]]) -> list[PlainDict]:
        """What `to_json` gave for several chunks as one."""


Form = Callable[[Answers], "pa.Table"]
"""Makes a table of answers, one row for each."""


def flat(answers: Answers, *, return_class_probs: bool) -> pa.Table:
    """The form of prediction files."""
    return answers.to_table(return_class_probs=return_class_probs)


def as_sent(answers: Answers, *, return_class_probs: bool) -> pa.Table:
    """The form in which FARM's JSON comes from other processes."""
    return answers.to_json_table(return_class_probs=return_class_probs)

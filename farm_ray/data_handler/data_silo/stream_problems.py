"""The rows of a stream that cannot be used: noted as they are met, and counted over all ranks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import pyarrow as pa

from farm_ray.data_handler.data_silo import quarantine
from farm_ray.data_handler.data_silo.line_numbers import with_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.file_to_dicts.splits import Split


@dataclass(slots=True)
class StreamProblems:
    """The rows of a stream that were quarantined so far, each once, and whether they are too many."""

    max_share: float
    expected_rows: int
    """Rows of an epoch, about."""
    splits: Sequence[Split] = ()
    """Of the corpus, to name rows by their lines."""
    earlier: list[pa.Table] = field(default_factory=list)
    """What all ranks met in earlier passes, and before the run was stopped."""
    tables: list[pa.Table] = field(default_factory=list)
    """What this process has met since."""
    _known: set[str] = field(default_factory=set)

    @property
    def number(self) -> int:
        """Rows in `tables`."""
        return sum(table.num_rows for table in self.tables)

    def pass_over(self, found: Sequence[pa.Table]) -> None:
        """Takes in the `tables` of all ranks, these among them: none of their rows is told again."""
        self.earlier += found
        self.tables = []
        self._known.update(name for table in found for name in table.column("id").to_pylist())

    def take(self, features: pa.Table) -> None:
        """Notes the bad rows of a window."""
        found = quarantine.table_of(features, set_name="train")
        new = found.filter(pa.array([name not in self._known for name in found.column("id").to_pylist()], pa.bool_()))
        if new.num_rows == 0:
            return
        self._known.update(new.column("id").to_pylist())
        self.tables.append(new)

    def too_many(self, number: int) -> bool:
        """Whether so many rows, in the `tables` of all ranks together, are more than may be quarantined."""
        if number == 0:
            return False
        everywhere = number + sum(table.num_rows for table in self.earlier)
        return everywhere > self.max_share * max(self.expected_rows, everywhere)

    def refuse(self, tables: Sequence[pa.Table]) -> NoReturn:
        """Ends the run.

        Args:
            tables: The `tables` of all ranks.

        Raises:
            DataProblemError: Always.
        """
        everything = with_lines(pa.concat_tables([*self.earlier, *tables]), self.splits)
        rows = max(self.expected_rows, everything.num_rows)
        raise quarantine.refusal(everything, rows, stored=None)

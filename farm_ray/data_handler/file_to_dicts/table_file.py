"""One file to read: where it is, which of its columns are wanted, and the tables made of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.configuration import nearest
from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.empty_files import no_rows
from farm_ray.errors import DataProblemError
from farm_ray.storage import open_binary, redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.problems import Problem

STAGE = "file_to_dicts"

Cell = str | None
_MOST_NAMES = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFile:
    """One file and what to take from it."""

    uri: str
    name: str
    """What row ids begin with: `train.tsv` of `train.tsv:7`."""
    columns: Mapping[str, str]
    """Column in the file -> column in the tables."""
    optional: Collection[str] = ()
    """Columns of the file that may be missing; their column in the tables is null."""
    texts: Collection[str] = ()
    """Columns of the tables that hold texts: a list or an object there is a problem of its row."""
    max_field_chars: int = 500_000
    rows_per_table: int = 5000
    proxies: Mapping[str, str] | None = None
    encoding: str = "utf-8"
    """Of JSON; how TSV and CSV are written says their `Dialect`."""

    def open(self, *, seekable: bool = False) -> BinaryIO:
        """The file's bytes, decompressed."""
        return open_binary(self.uri, seekable=seekable, proxies=self.proxies)

    def problem(self, row: int, kind: str, reason: str, value: object = None) -> Problem:
        """What is wrong with the row of this number; `reason` goes on from the row's id."""
        row_id = f"{self.name}:{row}"
        return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id} {reason}", value=value)

    def no_text(self, row: int, column: str, value: object) -> Problem:
        """What is wrong with a row whose text, in this column of the file, is a list or an object."""
        found = "an object" if isinstance(value, dict) else "a list"
        reason = f'holds {found} in the column "{problems.shorten(column)}"; write it as one text'
        return self.problem(row, "not a text", reason, value)

    def error(self, reason: str, *, code: str, **facts: object) -> DataProblemError:
        """What is wrong with the whole file; `reason` goes on from its name."""
        return DataProblemError(f"{redacted(self.uri)} {reason}", code=code, file=redacted(self.uri), **facts)

    def empty(self, reason: str) -> DataProblemError:
        """As `error` for a file without rows, which does no harm among others."""
        return no_rows(f"{redacted(self.uri)} {reason}", redacted(self.uri))

    def missing_columns(self, there: Iterable[str]) -> list[str]:
        """The wanted columns that are not `there` and not optional."""
        known = set(there)
        return [name for name in self.columns if name not in known and name not in self.optional]

    def columns_there_twice(self, there: Sequence[str]) -> list[str]:
        """The wanted columns that are `there` more than once and not optional; of others it does not matter."""
        return [name for name in self.columns if there.count(name) > 1 and name not in self.optional]

    def missing_error(self, missing: Sequence[str], there: Sequence[str], hint: str = "") -> DataProblemError:
        """The error for columns that are not in the file; `hint` says more than the nearest name."""
        names = " and ".join(f'"{name}"' for name in missing)
        # A column that is wanted itself is not the one that was meant.
        close = nearest(missing[0], [name for name in there if name not in self.columns])
        close = close if close.startswith("; did") else ""
        known = ", ".join(f'"{problems.shorten(name)}"' for name in there[:_MOST_NAMES])
        more = f", ... ({len(there)} in all)" if len(there) > _MOST_NAMES else ""
        return self.error(
            f"has no column {names}; its columns are {known}{more}{hint or close}",
            code="missing-column",
            column=missing[0],
            # A hint says what else is wrong, so that these columns may be there.
            missing_columns=[] if hint or close else missing,
        )

    def missing_by_position(self, missing: Sequence[str], width: int) -> DataProblemError:
        """As `missing_error` for a file whose columns have their positions for names."""
        names = " and ".join(f'"{name}"' for name in missing)
        positions = f"0 to {width - 1}" if width > 1 else "0"
        return self.error(
            f"has no column {names}; with header=None its columns are called by their position, {positions}",
            code="missing-column",
            column=missing[0],
            missing_columns=missing,
        )


@dataclass(slots=True)
class Rows:
    """Rows on their way into tables: their numbers, one list of cells per wanted column, problems by position."""

    file: TableFile
    numbers: list[int] = field(default_factory=list)
    cells: list[list[Cell]] = field(default_factory=list)
    found: dict[int, Problem] = field(default_factory=dict)
    total: int = 0

    def __post_init__(self) -> None:
        self.cells = [[] for _ in self.file.columns]

    def add(
        self, numbers: Iterable[int], cells: Sequence[Iterable[Cell]], found: Mapping[int, Problem] | None = None
    ) -> None:
        """More rows, column by column, in the order of the file's wanted columns.

        Args:
            numbers: The numbers of the rows.
            cells: One iterable per wanted column, of as many cells.
            found: Problems by position in `numbers`.
        """
        before = len(self.numbers)
        self.numbers.extend(numbers)
        for column, more in zip(self.cells, cells, strict=True):
            column.extend(more)
        for position, problem in (found or {}).items():
            self.found[before + position] = problem

    def tables(self, *, rest: bool = False) -> Iterator[pa.Table]:
        """Tables of `rows_per_table` rows as far as there are rows for them; with `rest` the last, smaller one too."""
        size, start = self.file.rows_per_table, 0
        while len(self.numbers) - start >= (1 if rest else size):
            yield self._table(start, min(start + size, len(self.numbers)))
            start += size
        done = min(start, len(self.numbers))
        self.total += done
        del self.numbers[:done]
        for column in self.cells:
            del column[:done]
        self.found = {position - done: problem for position, problem in self.found.items() if position >= done}

    def _table(self, start: int, end: int) -> pa.Table:
        columns = {"id": row_ids(self.file.name, self.numbers[start:end])}
        for name, cells in zip(self.file.columns.values(), self.cells, strict=True):
            columns[name] = pa.array(cells[start:end], pa.string())
        here = range(start, end)
        if any(row in here for row in self.found):
            columns[problems.COLUMN] = problems.column(self.found.get(row) for row in here)
        else:
            columns[problems.COLUMN] = problems.none(end - start)
        return pa.table(columns)


def named_part(file: TableFile, split: Split) -> TableFile:
    """A file that names its rows by their lines, or by the split and the line in it where lines are not counted.

    Args:
        file: The file.
        split: With settled borders.
    """
    if split.first_line is not None or split.start == 0:
        return file
    return replace(file, name=f"{file.name}@{split.start}")


def first_line(split: Split) -> int:
    """The number of the first line of a split in the names of `named_part`."""
    return split.first_line or 1


def row_ids(name: str, numbers: Sequence[int]) -> pa.Array:
    """`train.tsv:7` for each number, string [rows]."""
    return pc.binary_join_element_wise(f"{name}:", pa.array(numbers, pa.int64()).cast(pa.string()), "")

"""The rows of some files in tables whose borders follow from the files alone, from any place on, in this process.

Files are read by units: a file, a range of a big one, or some small ones together. A unit's rows come in tables of a
fixed number of rows, so that whoever goes on behind some of them sees the same tables as whoever began at the start.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler.data_silo.file_source import Part, read_part
from farm_ray.data_handler.file_to_dicts.ranges import ByteRange, count_lines
from farm_ray.parts import START, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from farm_ray.data_handler.processor import Processor

UNIT_BYTES = 1 << 20
"""Files below this size are read together until they are as much: each task and each model call takes its time."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one task reads."""

    file: int
    """Number of its first file."""
    number: int
    """Among the units that begin with this file."""
    parts: tuple[Part, ...]
    """Of one file each, in order."""

    @property
    def last_file(self) -> int:
        """Number of its last file."""
        return self.file + len(self.parts) - 1


@dataclass(frozen=True, kw_only=True)
class FileRows:
    """Files, who reads them, and the rows of a table."""

    processor: Processor
    files: tuple[str, ...]
    sizes: tuple[int | None, ...]
    """Bytes of each file; None where that is not known."""
    rows_per_table: int

    def units(self, after: Place, parts_of: Callable[[str], Iterable[Part]]) -> Iterator[Unit]:
        """The units that are not done at a place.

        Args:
            after: The place.
            parts_of: The parts of a file.
        """
        units = self._units(after.file, parts_of)
        return itertools.dropwhile(lambda unit: (unit.file, unit.number) < (after.file, after.unit), units)

    def tables(self, after: Place = START) -> Iterator[tuple[pa.Table, Place]]:
        """The rows behind a place, each table with the place behind it."""
        for unit in self.units(after, self._parts_here):
            yield from unit_tables(self.processor, unit, after, self.rows_per_table)

    def _parts_here(self, file: str) -> Iterator[Part]:
        """Lines are counted no further than to the range that is asked for."""
        first_line, cuts = 1, self.processor.cuts(file)
        for start, end in cuts:
            yield Part(file, ByteRange(start, end, first_line))
            first_line += count_lines(file, start, end)
        if not cuts:
            yield Part(file, None)

    def _units(self, first: int, parts_of: Callable[[str], Iterable[Part]]) -> Iterator[Unit]:
        small: list[Part] = []
        held = 0
        for number in range(first, len(self.files)):
            parts, size = iter(parts_of(self.files[number])), self.sizes[number]
            first_ones = list(itertools.islice(parts, 2))
            alone = len(first_ones) > 1 or size is None or size >= UNIT_BYTES
            if small and (alone or held >= UNIT_BYTES):
                yield Unit(number - len(small), 0, tuple(small))
                small, held = [], 0
            if alone:
                of_file = enumerate(itertools.chain(first_ones, parts))
                yield from (Unit(number, place, (part,)) for place, part in of_file)
            else:
                small, held = [*small, *first_ones], held + (size or 0)
        if small:
            yield Unit(len(self.files) - len(small), 0, tuple(small))


def unit_tables(
    processor: Processor, unit: Unit, after: Place, rows_per_table: int
) -> Iterator[tuple[pa.Table, Place]]:
    """The rows of a unit that are not done at a place, each table with the place behind it.

    Args:
        processor: Reads the files.
        unit: The unit.
        after: In this unit, or before it.
        rows_per_table: In every table but the last.
    """
    done = after.rows if (unit.file, unit.number) == (after.file, after.unit) else 0
    tables = itertools.chain.from_iterable(read_part(processor, part) for part in unit.parts)
    for table in _in_equal_tables(_without_first(tables, done), rows_per_table):
        done += table.num_rows
        yield table, Place(unit.file, unit.number, done, unit.last_file)


def _without_first(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    for table in tables:
        yield table.slice(rows)
        rows = max(0, rows - table.num_rows)


def _in_equal_tables(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of so many, but for the last."""
    held: list[pa.Table] = []
    number = 0
    for table in tables:
        rest = table
        while number + rest.num_rows >= rows:
            yield _joined([*held, rest.slice(0, rows - number)])
            rest, held, number = rest.slice(rows - number), [], 0
        if rest.num_rows:
            held, number = [*held, rest], number + rest.num_rows
    if held:
        yield _joined(held)


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default").combine_chunks()

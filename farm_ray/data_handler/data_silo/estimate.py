"""How many rows a corpus will give, from samples of it: what a learning rate schedule needs to know beforehand."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray import storage
from farm_ray.data_handler.data_silo import quarantine
from farm_ray.data_handler.data_silo.split_reading import windows_of
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.processor import Processor

_SAMPLES = 8
_SAMPLE_BYTES = 64 << 10


def estimated_rows(
    processor: Processor,
    ranges: Sequence[Split],
    sizes: Mapping[str, int | None],
    *,
    seed: int,
    keep_going: bool = False,
) -> int:
    """The rows of an epoch, about, at least 1; the same for every call. Small corpora are counted.

    Args:
        processor: Makes the rows.
        ranges: The corpus; a few of them, evenly spread, are read, of byte ranges only the begin.
        sizes: Bytes of each file, None where not known.
        seed: For processors that draw.
        keep_going: As for `windows_of`.

    Raises:
        DataProblemError: When none of the samples holds a usable row, or one cannot be read.
    """
    chosen = np.unique(np.linspace(0, len(ranges) - 1, num=min(_SAMPLES, len(ranges))).astype(int))
    sampler = _Sampler(processor.for_pass(seed, 0), keep_going=keep_going)
    rows, weight = 0.0, 0.0
    for one in (ranges[number] for number in chosen):
        found, share = sampler.sampled(one, sizes[one.file])
        rows, weight = rows + found, weight + share
    if rows == 0:
        first = f": {sampler.first_problem}" if sampler.first_problem else ""
        raise DataProblemError(
            f"{storage.redacted(ranges[0].file)} gives no rows: it holds no usable text where it was looked at{first}",
            code="no-usable-text",
            file=storage.redacted(ranges[0].file),
        )
    return max(1, round(rows / weight * len(ranges)))


@dataclasses.dataclass(slots=True)
class _Sampler:
    processor: Processor
    keep_going: bool
    first_problem: str | None = None

    def sampled(self, one: Split, size: int | None) -> tuple[float, float]:
        """Rows found in a range, and the share of the range that they are of."""
        if one.end is None:
            return self._sampled_file(one, size)
        short = dataclasses.replace(one, end=min(one.end, one.start + _SAMPLE_BYTES))
        rows = self._rows(short)
        if rows == 0 and short != one:
            short, rows = one, self._rows(one)
        assert short.end is not None
        return rows, (short.end - one.start) / (one.end - one.start)

    def _sampled_file(self, one: Split, size: int | None) -> tuple[float, float]:
        """The first window of a file; of one with a single window that is all of it."""
        windows = windows_of(self.processor, one, keep_going=self.keep_going)
        first = next(windows, None)
        if first is None:
            return 0.0, 1.0
        rows = float(self._usable(first))
        if next(windows, None) is None or size is None:
            return rows, 1.0
        try:
            # Compressed files hold more text than their size says.
            text_bytes = size * storage.expansion(one.file)
        except DataProblemError:
            if not self.keep_going:
                raise
            # Damaged near its begin: there is little behind what was read.
            return rows, 1.0
        return rows, min(1.0, _text_bytes(first) / text_bytes)

    def _rows(self, one: Split) -> int:
        return sum(map(self._usable, windows_of(self.processor, one, keep_going=self.keep_going)))

    def _usable(self, dicts: pa.Table) -> int:
        features = self.processor.featurize(dicts)
        rows = quarantine.sound_rows(features)
        if self.first_problem is None and len(rows) < features.num_rows:
            self.first_problem = quarantine.table_of(features, set_name="train").column("message")[0].as_py()
        return len(rows)


def _text_bytes(dicts: pa.Table) -> int:
    """Bytes of all texts of a table and of what stands between them in a file, about; ids and problems are none."""
    found = 0
    for column in (dicts.column(name) for name in dicts.column_names if name != "id"):
        texts = pc.list_flatten(column) if pa.types.is_list(column.type) else column
        if pa.types.is_string(texts.type):
            found += (pc.sum(pc.binary_length(texts)).as_py() or 0) + len(texts)
    return found

"""How many rows a corpus will give, from samples of it: what a learning rate schedule needs to know beforehand."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from farm_ray import storage
from farm_ray.data_handler.data_silo import set_aside
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.data_handler.file_to_dicts.ranges import FileRange
    from farm_ray.data_handler.processor import Processor

_SAMPLES = 8
_SAMPLE_BYTES = 64 << 10


def estimated_rows(
    processor: Processor, ranges: Sequence[FileRange], sizes: Mapping[str, int | None], *, seed: int
) -> int:
    """The rows of an epoch, about, at least 1; the same for every call. Small corpora are counted.

    Args:
        processor: Makes the rows.
        ranges: The corpus; a few of them, evenly spread, are read, of byte ranges only the begin.
        sizes: Bytes of each file, None where not known.
        seed: For processors that draw.

    Raises:
        DataProblemError: When none of the samples holds a usable row.
    """
    chosen = np.unique(np.linspace(0, len(ranges) - 1, num=min(_SAMPLES, len(ranges))).astype(int))
    drawn = processor.for_pass(seed, 0)
    rows, weight = 0.0, 0.0
    for one in (ranges[number] for number in chosen):
        found, share = _sampled(drawn, one, sizes[one.file])
        rows, weight = rows + found, weight + share
    if rows == 0:
        raise DataProblemError(
            f"{storage.redacted(ranges[0].file)} gives no rows: it holds no usable text where it was looked at"
        )
    return max(1, round(rows / weight * len(ranges)))


def _sampled(processor: Processor, one: FileRange, size: int | None) -> tuple[float, float]:
    """Rows found in a range, and the share of the range that they are of."""
    if one.end is None:
        return _sampled_file(processor, one, size)
    short = dataclasses.replace(one, end=min(one.end, one.start + _SAMPLE_BYTES))
    rows = _rows(processor, short)
    if rows == 0 and short != one:
        short, rows = one, _rows(processor, one)
    assert short.end is not None
    return rows, (short.end - one.start) / (one.end - one.start)


def _rows(processor: Processor, one: FileRange) -> int:
    return sum(_usable(processor, dicts) for dicts in processor.read_stream(one))


def _usable(processor: Processor, dicts: object) -> int:
    return len(set_aside.sound_rows(processor.featurize(dicts)))  # type: ignore[arg-type]


def _sampled_file(processor: Processor, one: FileRange, size: int | None) -> tuple[float, float]:
    """The first window of a file; of one with a single window that is all of it."""
    windows = iter(processor.read_stream(one))
    first = next(windows, None)
    if first is None:
        return 0.0, 1.0
    rows = float(_usable(processor, first))
    if next(windows, None) is None or size is None:
        return rows, 1.0
    # Its size in memory is about that of its text; compressed files hold more of it than their size says.
    return rows, min(1.0, first.nbytes / (size * storage.expansion(one.file)))

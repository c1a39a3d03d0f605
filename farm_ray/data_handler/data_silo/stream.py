"""A training set that is read while it is trained on: its ranges, and the features of their windows as they come."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from farm_ray import cluster
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.data_silo import quarantine
from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
from farm_ray.data_handler.data_silo.executor import READ_CPUS, ReadTask, chain_on_ray, run_here
from farm_ray.data_handler.data_silo.prefetch import Prefetched
from farm_ray.data_handler.data_silo.split_groups import in_this_process
from farm_ray.data_handler.data_silo.split_reading import windows_of
from farm_ray.data_handler.feed.streaming import StreamFeed
from farm_ray.data_handler.order import Reading, StreamOrder
from farm_ray.reproducibility import UInt64, hash_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

    from farm_ray.data_handler.data_silo.executor import Marked
    from farm_ray.data_handler.data_silo.serialized import Mark
    from farm_ray.data_handler.feed.base import FeedPlan
    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.processor import Processor
    from farm_ray.data_handler.run_sets import Carrier
    from farm_ray.ranks import Ranks

WINDOWS_AHEAD = 2
"""Windows per lane that are made before they are needed."""

PATIENCE_S = 900.0
"""Until a reader that gives nothing counts as hanging: far more than a failing store is asked again for, so that its
own error is told."""

_EPOCHS_LOOKED_AT = 3
"""For an estimate: each epoch deals the splits again."""


@dataclass(frozen=True, slots=True)
class StreamedWindow:
    """The features of one window."""

    epoch: int
    lane: int
    place: int
    """Of its range in the lane's sequence."""
    number: int
    """Of the window in its range."""
    features: pa.Table


@dataclass(frozen=True, kw_only=True)
class StreamedSet:
    """A corpus that is streamed: a small value that travels to the training workers; they read what they need."""

    processor: Processor
    ranges: tuple[Split, ...]
    names: tuple[str, ...]
    """Names the ranges are known by, wherever the files lie: `train.txt@1048576`, [ranges]."""
    seed: int
    lanes: int
    rows: int
    """Estimate of the rows of an epoch."""
    corpus: Mapping[str, str]
    """What the files are, how they are cut and what becomes of them, each under the name that a message gives it."""
    weights: tuple[float, ...] = ()
    """How large each range is beside the others, [ranges]; none for equal ones."""
    max_problem_share: float = 0.0
    max_tasks: int = 128
    pad_to_multiple_of: int = 1
    """As of `FeatureSet`."""
    on_ray: bool = False
    """Whether Ray Data reads ahead; else a thread of this process does."""
    read_cpus: float = READ_CPUS
    """Logical CPUs that a task asks Ray for."""

    def __len__(self) -> int:
        return self.rows

    def content(self) -> dict[str, str]:
        """What this corpus is, as far as that can be known without reading it; as `FeatureSet.content`."""
        return {**self.corpus, "ranges": f"{len(self.ranges)} in {self.lanes} lanes"}

    @property
    def loaded(self) -> tuple[pa.Table, ...]:
        """As `TrainingSet.loaded`: nothing is in memory yet."""
        return ()

    def check_ranks(self, batch_size: int, ranks: int) -> None:
        """As `TrainingSet.check_ranks`: each needs a lane."""
        self.order(batch_size).lanes_of(0, ranks)

    def padded_to(self, multiple: int) -> StreamedSet:
        """As `TrainingSet.padded_to`."""
        return replace(self, pad_to_multiple_of=multiple)

    def feed(self, ranks: Ranks, plan: FeedPlan) -> StreamFeed:
        """As `TrainingSet.feed`: every rank reads its own lanes."""
        return StreamFeed(self, ranks, plan)

    def sent(self, name: str, carrier: Carrier) -> StreamedSet:  # noqa: ARG002 - it has no table to be known by
        """As `TrainingSet.sent`: as it is, to be read on Ray."""
        return replace(self, on_ray=True, read_cpus=0.0 if carrier.elastic else READ_CPUS)

    def received(self, tables: Callable[[str], pa.Table]) -> StreamedSet:  # noqa: ARG002 - it needs none
        """As `Sent.received`."""
        return self

    @property
    def one_window_each(self) -> bool:
        """True where no range holds more than one window: byte ranges do not, whole files may."""
        return all(one.end is not None for one in self.ranges)

    @property
    def keep_going(self) -> bool:
        """As for `split_tables`."""
        return self.max_problem_share > 0

    @cached_property
    def range_hashes(self) -> UInt64:
        """A stable hash of each range's name, [ranges]."""
        return hash_ids(self.names)

    def order(self, batch_size: int, grad_acc_steps: int = 1) -> StreamOrder:
        """The plan of a run over this set."""
        return StreamOrder(
            range_hashes=self.range_hashes,
            seed=self.seed,
            batch_size=batch_size,
            lanes=self.lanes,
            grad_acc_steps=grad_acc_steps,
        )

    def batches(self, batch_size: int, epochs: int) -> int:
        """Estimate of the micro-batches of an epoch: as many as the lane takes that lasts longest, on average."""
        order, count = self.order(batch_size), max(1, min(epochs, _EPOCHS_LOOKED_AT))
        weights = np.array(self.weights or [1.0] * len(self.ranges))
        rows = self.rows * weights / weights.sum()
        found = [
            # A window's last batch may have few rows.
            max(np.ceil(rows[own] / order.rows_per_batch(lane)).sum() for lane, own in enumerate(order.dealt(epoch)))
            for epoch in range(count)
        ]
        return max(1, round(sum(found) / count))

    def windows(self, readings: Iterable[Reading], *, lanes: int, ranks: int = 1) -> Prefetched[StreamedWindow]:
        """The windows of these readings, in their order, made ahead.

        Args:
            readings: What to read.
            lanes: How many lanes they are for.
            ranks: How many processes read at once, and share the cores.
        """
        made = self._made_on_ray(readings, ranks) if self.on_ray else run_here(map(self._task, readings))
        windows = (_window(mark, features) for mark, features in made if features.num_rows)
        return Prefetched(windows, ahead=WINDOWS_AHEAD * lanes, patience_s=PATIENCE_S)

    def feature_set(self, features: pa.Table) -> FeatureSet:
        """The sound rows of some windows."""
        return FeatureSet(
            table=features,
            rows=quarantine.sound_rows(features),
            padding=self.processor.padding(),
            pad_to_multiple_of=self.pad_to_multiple_of,
            masking=self.processor.masking(self.seed),
        )

    def _task(self, reading: Reading, processor_there: Callable[[], Processor] | None = None) -> ReadTask:
        """All stages of one reading. A task gets what it needs, not the whole stream."""
        source = self.ranges[reading.range]
        read = functools.partial(
            featurized_windows,
            processor_there or functools.partial(in_this_process, self.processor),
            reading,
            source,
            seed=self.seed,
            keep_going=self.keep_going,
        )
        return ReadTask(source.file, read)

    def _made_on_ray(self, readings: Iterable[Reading], ranks: int) -> Marked:
        there = BroadcastProcessor(self.processor).processor
        tasks = (self._task(reading, there) for reading in readings)
        at_once = max(1, min(self.max_tasks, cluster.all_cores() // ranks))
        return chain_on_ray(tasks, at_once=at_once, cpus=self.read_cpus)


def featurized_windows(
    processor_there: Callable[[], Processor], reading: Reading, source: Split, *, seed: int, keep_going: bool = False
) -> Marked:
    """The features of each window of a split, marked with epoch, lane, place and number as `StreamedWindow` has them.

    Args:
        processor_there: Gives the processor where this runs.
        reading: For which lane and epoch, and from which window on.
        source: The split.
        seed: For processors that draw.
        keep_going: As for `split_tables`.

    Raises:
        DataProblemError: As `split_tables`.
    """
    drawn = processor_there().for_pass(seed, reading.epoch)
    windows = enumerate(windows_of(drawn, source, keep_going=keep_going))
    for number, dicts in itertools.islice(windows, reading.first_window, None):
        yield (reading.epoch, reading.lane, reading.place, number), drawn.featurize(dicts)


def _window(mark: Mark, features: pa.Table) -> StreamedWindow:
    epoch, lane, place, number = mark
    return StreamedWindow(epoch, lane, place, number, features)

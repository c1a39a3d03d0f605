"""The sets of a run, wherever their rows are: what a trainer asks of them, and how they travel to its ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from farm_ray.data_handler.batches import FeatureSet, SentRows
    from farm_ray.data_handler.feed.base import Feed, FeedPlan
    from farm_ray.data_handler.given_rows import Row
    from farm_ray.ranks import Ranks

S_co = TypeVar("S_co", covariant=True)


class Carrier(Protocol):
    """Takes tables to the processes of a run."""

    elastic: bool
    """Whether these may hold every CPU that there is."""

    def put(self, set_name: str, table: pa.Table, blocks: tuple[object, ...]) -> str:
        """Takes a table along, each only once.

        Args:
            set_name: Of a set with rows in it.
            table: Features.
            blocks: As of `FeatureSet`.

        Returns:
            The name to ask for it by.
        """


class Sent(Protocol[S_co]):
    """A set on its way: small, without its tables."""

    def received(self, tables: Callable[[str], pa.Table]) -> S_co:
        """The set, in the process that it was sent to; `tables` gives what the carrier took along."""


class TrainingSet(Protocol):
    """Rows to train on: a `FeatureSet` holds them in memory, a `StreamedSet` reads them meanwhile."""

    @property
    def loaded(self) -> tuple[pa.Table, ...]:
        """The tables of features that are in memory already."""

    def __len__(self) -> int:
        """Rows of a pass; of a stream an estimate."""

    def content(self) -> dict[str, str]:
        """What the rows are, each part under the name that a message gives it; a run resumes with equal ones only."""

    def check_ranks(self, batch_size: int, ranks: int) -> None:
        """Raises ConfigError where so many processes cannot share the rows."""

    def padded_to(self, multiple: int) -> Self:
        """The same rows, with batches whose widths are rounded up to a multiple of this."""

    def feed(self, ranks: Ranks, plan: FeedPlan) -> Feed:
        """The share of one rank, step by step."""

    def sent(self, name: str, carrier: Carrier) -> Sent[TrainingSet]:
        """The set as it travels to the ranks; `name` is that of the set."""


@dataclass(frozen=True, kw_only=True)
class RunSets:
    """What a run trains on and is scored on."""

    train: TrainingSet
    dev: FeatureSet | None = None
    test: FeatureSet | None = None

    @classmethod
    def of(cls, data: Row) -> RunSets:
        """Those in the `data` of a silo, which has a train set."""
        return cls(train=data["train"], dev=data.get("dev"), test=data.get("test"))

    def loaded(self) -> list[pa.Table]:
        """The tables that are in memory, each once."""
        sets = [self.train, self.dev, self.test]
        return list({id(table): table for rows in sets if rows is not None for table in rows.loaded}.values())

    def padded_to(self, multiple: int) -> RunSets:
        """As `TrainingSet.padded_to`, of each set."""
        dev, test = (None if rows is None else rows.padded_to(multiple) for rows in (self.dev, self.test))
        return RunSets(train=self.train.padded_to(multiple), dev=dev, test=test)

    def sent(self, carrier: Carrier) -> SentSets:
        """The sets as they travel to the ranks."""
        return SentSets(
            train=self.train.sent("train", carrier),
            dev=None if self.dev is None else self.dev.sent("dev", carrier),
            test=None if self.test is None else self.test.sent("test", carrier),
        )


@dataclass(frozen=True, kw_only=True)
class SentSets:
    """`RunSets` on their way."""

    train: Sent[TrainingSet]
    dev: SentRows | None
    test: SentRows | None

    def received(self, tables: Callable[[str], pa.Table]) -> RunSets:
        """The sets in a rank; `tables` gives what the carrier took along."""
        dev, test = (None if rows is None else rows.received(tables) for rows in (self.dev, self.test))
        return RunSets(train=self.train.received(tables), dev=dev, test=test)

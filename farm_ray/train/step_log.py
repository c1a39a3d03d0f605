"""Loss and learning rate of every step: lists for the result, and a table beside the checkpoints.

The table `steps.tsv` grows by the new rows when a checkpoint is written, so that checkpoints stay as small in the
millionth step as in the first. A checkpoint of k steps owns the first k rows. Rows beyond come from an attempt that
was given up; the next checkpoint puts its own in their place.
"""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from farm_ray import storage
from farm_ray.errors import ConfigError, FarmRayError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "steps.tsv"
_HEADER = "step\tloss\tlearning_rate\n"


@dataclass(kw_only=True)
class StepLog:
    """What is known of the steps done so far, one value per step."""

    losses: list[float] = field(default_factory=list)
    """Mean loss over the rows of the step."""
    learning_rates: list[float] = field(default_factory=list)
    """The learning rate after the step."""
    _stored: int | None = None
    """Rows of the table, all of them ours; None before the first `store`."""

    def add(self, loss: float, learning_rate: float) -> None:
        """One more step is done."""
        self.losses.append(loss)
        self.learning_rates.append(learning_rate)

    def store(self, root: Path, *, steps: int) -> None:
        """Brings the table below `root` to `steps` rows, on the disk and not only in its cache.

        More steps may be added meanwhile by another thread.

        Raises:
            ConfigError: When it cannot be written.
        """
        path = root / FILE
        if self._stored is None:
            with storage.open_output(path) as file:
                file.write(_HEADER.encode() + self._rows(0, steps))
        else:
            try:
                with path.open("ab") as file:
                    file.write(self._rows(self._stored, steps))
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise ConfigError(
                    f"cannot write {path}: {error.strerror}", code="cannot-write", file=str(path)
                ) from None
        self._stored = steps

    @classmethod
    def load(cls, root: str, *, steps: int) -> StepLog:
        """The first `steps` rows of the table below `root`; what is not to be found there is NaN, with a warning."""
        path = storage.join(root, FILE)
        known = _read(path)
        if not known.keys() >= set(range(1, steps + 1)):
            warnings.warn(
                f"{storage.redacted(path)} is missing or incomplete: the losses of some of the first {steps} steps are "
                "not known; training goes on all the same",
                stacklevel=2,
            )
        rows = [known.get(step, (math.nan, math.nan)) for step in range(1, steps + 1)]
        return cls(losses=[loss for loss, _ in rows], learning_rates=[rate for _, rate in rows])

    def _rows(self, first: int, end: int) -> bytes:
        values = zip(self.losses[first:end], self.learning_rates[first:end], strict=True)
        lines = (f"{step}\t{loss!r}\t{rate!r}\n" for step, (loss, rate) in enumerate(values, start=first + 1))
        return "".join(lines).encode()


def _read(path: str) -> dict[int, tuple[float, float]]:
    """Step -> (loss, learning rate), without lines that a kill or a full disk left half-written."""
    try:
        with storage.open_binary(path) as file:
            lines = file.read().decode("utf-8", errors="replace").split("\n")
    except FarmRayError:
        return {}
    known = {}
    # Without a line break behind it, a last line may lack digits.
    for line in lines[1:-1]:
        try:
            step, loss, rate = line.split("\t")
            known[int(step)] = float(loss), float(rate)
        except ValueError:
            continue
    return known

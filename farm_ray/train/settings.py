"""What a training run is asked to do, as one frozen value that travels to every rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import Field

from farm_ray.train.options import TrainerOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from farm_ray.evaluation.results import HeadResult
    from farm_ray.plain import PlainDict


_PLAIN = ("epochs", "batch_size", "learning_rate", "grad_acc_steps", "max_grad_norm", "seed", "data_seed")
IDENTITY = (*_PLAIN, "optimizer_opts", "schedule_opts")
"""What every checkpoint says of its run, besides the content."""


class TrainSettings(TrainerOptions):
    """What every rank of a run is told: the options, and what else `Trainer` knows. It pickles and compares."""

    batch_size: int
    """Rows per micro-batch over all ranks."""
    eval_batch_size: int
    """Rows per batch of an evaluation."""
    data_seed: int = 42
    """The silo's seed: of the training order."""
    content: Mapping[str, str] = Field(default_factory=dict)
    """Data, tokenizer and model, see `run_identity`."""
    claim: str | None = None
    """The run's name in its claim on the place of the checkpoints; None where nobody holds that."""

    def identity(self) -> PlainDict:
        """What must be equal for a checkpoint to fit this run; how often to log or save is not among it."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        options = {"optimizer_opts": self.optimizer_opts or {}, "schedule_opts": self.schedule_opts or {}}
        return plain | options | dict(self.content)


@dataclass(kw_only=True, slots=True)
class TrainResult:
    """What a run did."""

    steps: int = 0
    """Optimizer steps of the whole run, those before a resume included."""
    rows: int = 0
    """Rows used for training, each as often as it was used."""
    rows_repeated: int = 0
    """Of these, rows of steps that the weights had seen before, however often the run was interrupted: 0."""
    restarts: int = 0
    """How often Ray Train started the workers again, from the last checkpoint."""
    order_hash: str = ""
    """Which rows each step used, as sixteen hexadecimal digits."""
    losses: list[float] = field(default_factory=list)
    """Mean loss of every step; NaN for steps before a resume of which no `steps.tsv` was left."""
    learning_rates: list[float] = field(default_factory=list)
    """The learning rate after every step, which is that of the next one."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of this process: `train` without evaluations and checkpoints, of that `first_batch` (until it was
    there) and `data` (making later ones, or waiting for a stream); `eval`, `checkpoint`."""
    rows_per_second: float = 0.0
    """Rows of this process's steps per second of `train`."""
    dev: list[HeadResult] | None = None
    """Last dev evaluation of the returned model, one dict per head."""
    test: list[HeadResult] | None = None
    preempted: bool = False
    """Stopped by a signal; `checkpoint` is there to go on from where a checkpoint_root_dir was given."""
    resumed_from: str | None = None
    resumed_from_step: int = 0
    """Steps that were done when this run was started; 0 for a run from scratch. Restarts by Ray Train do not count."""
    checkpoint: str | None = None
    """The last checkpoint written."""
    problems: pa.Table | None = None
    """Rows of a stream that were quarantined: set, id and the fields of their problem; None for none."""
    device: str = "cpu"
    precision: str = "fp32"

"""The options of a training, each declared here once: those of an experiment, and those of a `Trainer` in a program."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from farm_ray.configuration import Config
from farm_ray.train.early_stopping import EarlyStoppingConfig


class TrainConfig(Config):
    """How the weights are learnt."""

    epochs: PositiveInt = 1
    """Passes over the training rows."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-5
    """Peak of the schedule."""
    optimizer_opts: dict[str, object] | None = None
    """`name` and arguments of the optimizer; None is AdamW with weight decay 0.01."""
    schedule_opts: dict[str, object] | None = None
    """`name` and arguments of the schedule; None is linear with a tenth of the steps as warm-up."""
    grad_acc_steps: PositiveInt = 1
    """Micro-batches per optimizer step."""
    use_amp: str | None = "auto"
    """Half precision: auto, bf16, fp16, O0 to O3, or None for float32."""
    evaluate_every: NonNegativeInt = 100
    """Optimizer steps between dev evaluations; 0 evaluates at the end only."""
    early_stopping: EarlyStoppingConfig | None = None
    """None trains all epochs."""
    checkpoint_every: PositiveInt | None = None
    """Optimizer steps between checkpoints, which are written while the training goes on."""
    checkpoint_every_seconds: NonNegativeFloat | None = 600.0
    """Seconds of training between checkpoints; with this or `checkpoint_every` there is one at every epoch's end too.
    With neither, one is written only when a signal stops the run."""
    checkpoint_root_dir: str | None = None
    """Folder or s3:// prefix of the checkpoints, which all machines of the run see, and of `steps.tsv`, the loss and
    learning rate of every step up to the last of them. None is `checkpoints` in the output folder; a `Trainer` in a
    program then writes none."""
    checkpoints_to_keep: PositiveInt = 3
    """Older checkpoints are removed."""
    log_loss_every: NonNegativeInt = 10
    """Optimizer steps between losses that the tracker receives; 0 is never."""
    tracker: Literal["none", "stdout"] = "none"
    """Where parameters, losses and metrics go as they come: nowhere, or one line each on stderr."""
    max_grad_norm: Annotated[float, Field(gt=0)] | None = 1.0
    """Gradients are clipped to this total norm; None does not clip."""


class TrainerOptions(TrainConfig):
    """The options of a `Trainer` in a program: FARM's two other defaults, and what no experiment's `train` holds.

    Early stopping and tracker are objects there, which travel by themselves.
    """

    use_amp: str | None = None
    checkpoint_every_seconds: NonNegativeFloat | None = None
    eval_report: bool = True
    """Add the text report to results."""
    log_learning_rate: bool = False
    """Whether the tracker receives the learning rate with each loss."""
    evaluator_test: bool = True
    """Evaluate on test at the end."""
    seed: int = 42
    """Of dropout; the order of the data has the silo's seed."""
    resume: str = "auto"
    """`auto` resumes from the newest whole checkpoint, `never` starts from scratch, a path or name resumes from that
    one."""
    max_restarts: NonNegativeInt = 3
    """How often Ray Train may start the workers again, from the last checkpoint, when one was lost."""
    hang_timeout: Annotated[float, Field(ge=1, allow_inf_nan=True)] = 1800.0
    """Seconds without any progress after which a worker on Ray counts as lost; more than loading the model, the first
    batch, any step or writing a checkpoint may take."""


DEFAULTS = TrainerOptions()
"""What a `Trainer` does that is given no options."""

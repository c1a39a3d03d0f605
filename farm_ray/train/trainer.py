"""Trainer: the driver's side of a run. It checks, starts the ranks, listens, and puts the weights into the model."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any, cast

from farm_ray import farm_methods, storage, tracking
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.run_sets import RunSets
from farm_ray.devices import checked_device, explaining, training_device
from farm_ray.errors import ConfigError
from farm_ray.options import arguments_checked
from farm_ray.overrides import refuse_uncalled
from farm_ray.train.options import DEFAULTS
from farm_ray.train.settings import TrainResult, TrainSettings
from farm_ray.train.signals import StopRequest, stop_on_signals

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import torch

    from farm_ray.claims import Claim
    from farm_ray.data_handler.data_silo.base import BaseSilo
    from farm_ray.evaluation.results import HeadResult
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.plain import PlainDict
    from farm_ray.progress import Progress
    from farm_ray.tracking import RunLogger
    from farm_ray.train.stopper import ResumableStopper, Stopper


class Trainer:
    """Fine-tunes a model on the train set of a silo, evaluating on dev and at the end on test.

    The same call trains in this process (`num_workers=0`) or on any number of Ray Train workers, and does the same:
    the rows of every step, and what the optimizer sees of them, do not depend on the number of workers.

    The options of the training are those of `TrainerOptions`.

    Args:
        model: Trained in place; `train()` also returns it.
        optimizer: An optimizer of your own, with `num_workers=0` only; None builds one from `optimizer_opts`.
        data_silo: Brings the data and the batch size.
        n_gpu, device: As in FARM, another way to say `use_gpu`: `device="cuda"` or `n_gpu=1`; more GPUs are as many
            `num_workers`. `cuda:1` is for `num_workers=0`.
        local_rank: Ignored; kept for FARM compatibility.
        lr_schedule: Goes with `optimizer`.
        early_stopping: Watches the dev results; the best weights are put back at the end. Every `train()` starts it
            from scratch, or with what the checkpoint holds that it goes on from. An object of your own needs FARM's
            `check_stopping`; to start from scratch a `reset`, to be stored `state_dict` and `load_state_dict`.
        checkpoint_on_sigterm: A SIGTERM ends the run at the next step; with `checkpoint_root_dir` a checkpoint is
            written first, also at a Ctrl-C, which is raised then.
        disable_tqdm: Ignored, kept for FARM compatibility; there is no bar unless `progress` draws one.
        num_workers: Ray Train workers; 0 trains in this process without Ray. `(least, most)` takes as many as there is
            room for, one per CPU or GPU: fewer when a machine is lost, more when one comes.
        use_gpu: One GPU per worker, or this process's GPU with `num_workers=0`; None: by `device` or `n_gpu`, else
            where the model is.
        tracker: Hears parameters and metrics; None takes the logger of the process, see `farm_ray.tracking`.
        progress: Called with (stage, done, total, note).

    Raises:
        ConfigError: For arguments that contradict each other.
        CheckpointError: When the checkpoint to go on from is damaged or belongs to another run.
    """

    @strict_arguments
    def __init__(
        self,
        model: AdaptiveModel,
        optimizer: torch.optim.Optimizer | None = None,
        data_silo: BaseSilo | None = None,
        epochs: int = DEFAULTS.epochs,
        n_gpu: int | None = None,
        device: torch.device | str | None = None,
        lr_schedule: object = None,
        evaluate_every: int = DEFAULTS.evaluate_every,
        eval_report: bool = DEFAULTS.eval_report,
        use_amp: str | None = DEFAULTS.use_amp,
        grad_acc_steps: int = DEFAULTS.grad_acc_steps,
        local_rank: int = -1,
        early_stopping: Stopper | None = None,
        log_learning_rate: bool = DEFAULTS.log_learning_rate,
        log_loss_every: int = DEFAULTS.log_loss_every,
        checkpoint_on_sigterm: bool = True,
        checkpoint_every: int | None = DEFAULTS.checkpoint_every,
        checkpoint_root_dir: str | Path | None = DEFAULTS.checkpoint_root_dir,
        checkpoints_to_keep: int = DEFAULTS.checkpoints_to_keep,
        evaluator_test: bool = DEFAULTS.evaluator_test,
        disable_tqdm: bool = False,  # noqa: ARG002 - FARM's; there is no bar unless `progress` draws one
        max_grad_norm: float | None = DEFAULTS.max_grad_norm,
        *,
        learning_rate: float = DEFAULTS.learning_rate,
        optimizer_opts: PlainDict | None = DEFAULTS.optimizer_opts,
        schedule_opts: PlainDict | None = DEFAULTS.schedule_opts,
        num_workers: int | tuple[int, int] = 0,
        use_gpu: bool | None = None,
        seed: int = DEFAULTS.seed,
        resume: str = DEFAULTS.resume,
        checkpoint_every_seconds: float | None = DEFAULTS.checkpoint_every_seconds,
        max_restarts: int = DEFAULTS.max_restarts,
        hang_timeout: float = DEFAULTS.hang_timeout,
        tracker: RunLogger | None = None,
        progress: Progress | None = None,
    ) -> None:
        refuse_uncalled(type(self), farm_methods.TRAINER)
        refuse_uncalled(type(model), farm_methods.ADAPTIVE_MODEL)
        refuse_uncalled(type(data_silo), farm_methods.TRAINERS_SILO)
        if data_silo is None or data_silo.data["train"] is None:
            raise ConfigError("Trainer needs a data_silo with a train set", code="no-train-set")
        least, most = _least_and_most(num_workers)
        own = {"learning_rate": learning_rate, "optimizer_opts": optimizer_opts, "schedule_opts": schedule_opts}
        _check_own_optimizer(optimizer, lr_schedule, own, in_process=most == 0)
        if checkpoint_root_dir is None and (checkpoint_every or checkpoint_every_seconds is not None):
            raise ConfigError(
                "checkpoint_every and checkpoint_every_seconds need a checkpoint_root_dir to write to",
                code="missing-option",
                option="checkpoint_root_dir",
            )
        with arguments_checked():
            self.settings = TrainSettings(
                epochs=epochs,
                batch_size=data_silo.batch_size,
                eval_batch_size=data_silo.eval_batch_size,
                learning_rate=learning_rate,
                optimizer_opts=optimizer_opts,
                schedule_opts=schedule_opts,
                use_amp=use_amp,
                grad_acc_steps=grad_acc_steps,
                evaluate_every=evaluate_every,
                eval_report=eval_report,
                log_loss_every=log_loss_every,
                log_learning_rate=log_learning_rate,
                checkpoint_every=checkpoint_every or None,
                checkpoint_every_seconds=checkpoint_every_seconds,
                checkpoint_root_dir=None if checkpoint_root_dir is None else _absolute(checkpoint_root_dir),
                checkpoints_to_keep=checkpoints_to_keep,
                max_grad_norm=max_grad_norm,
                evaluator_test=evaluator_test,
                seed=seed,
                data_seed=data_silo.seed,
                resume=_resume(resume),
                max_restarts=max_restarts,
                hang_timeout=hang_timeout,
            )
        if early_stopping is not None and not callable(getattr(early_stopping, "check_stopping", None)):
            raise ConfigError(
                f"early_stopping must be an EarlyStopping(...) or have a check_stopping method, not {early_stopping!r}",
                code="invalid-value",
                option="early_stopping",
                value=early_stopping,
            )
        if early_stopping is not None and data_silo.data["dev"] is None:
            raise ConfigError(
                "early_stopping watches the dev set, and there is none; give a dev_filename or dev_split",
                code="no-dev-set",
                option="early_stopping",
            )
        RunSets.of(data_silo.data).train.check_ranks(data_silo.batch_size, max(1, most))
        if local_rank != -1:
            warnings.warn("local_rank has no effect: Ray Train starts the workers, num_workers of them", stacklevel=2)
        self.device = training_device(
            use_gpu=use_gpu,
            device=device,
            n_gpu=n_gpu,
            num_workers=(least, most),
            model=model,
        )
        self.model = model
        self.data_silo = data_silo
        self.own_optimizer = None if optimizer is None else (optimizer, lr_schedule)
        self.early_stopping = early_stopping
        self.checkpoint_on_sigterm = checkpoint_on_sigterm
        self.num_workers = least if least == most else (least, most)
        self.use_gpu = self.device.type == "cuda"
        self.tracker, self.progress = tracker or tracking.in_use(), progress
        self.on_checkpoint: Callable[[str], None] = lambda _name: None
        """Called with the name of each new checkpoint, and of the one that the run resumed from."""
        self.result = TrainResult()

    @classmethod
    def create_or_load_checkpoint(
        cls,
        data_silo: BaseSilo,
        checkpoint_root_dir: str | Path,
        model: AdaptiveModel,
        optimizer: torch.optim.Optimizer | None = None,
        local_rank: int = -1,
        resume_from_checkpoint: str = "latest",
        **kwargs: Any,
    ) -> Trainer:
        """A trainer that resumes from a checkpoint below `checkpoint_root_dir`, or starts from scratch without one.

        Args:
            data_silo: As for the class.
            checkpoint_root_dir: As for the class.
            model: As for the class; `train()` puts the checkpoint's weights into it.
            optimizer: As for the class.
            local_rank: As for the class.
            resume_from_checkpoint: `latest`, or the name or address of one, which must be there.
            kwargs: The other arguments of the class. They hold also where the checkpoint's run had others; those that
                would make it another run are refused by `train()`.

        Raises:
            CheckpointError: When a named checkpoint is missing or damaged.
        """
        from farm_ray.train.checkpoint_store import check_named

        resume = "auto" if resume_from_checkpoint == "latest" else resume_from_checkpoint
        check_named(resume, _absolute(checkpoint_root_dir))
        return cls(
            model=model,
            optimizer=optimizer,
            data_silo=data_silo,
            checkpoint_root_dir=checkpoint_root_dir,
            local_rank=local_rank,
            resume=resume,
            **kwargs,
        )

    @property
    def test_result(self) -> list[HeadResult] | None:
        """Results on the test set after `train()`, one dict per head."""
        return self.result.test

    def train(self) -> AdaptiveModel:
        """Runs to the end, to an early stop or to a signal; `result` says which.

        Returns:
            The trained model; under early stopping with the best weights.

        Raises:
            ConfigError: When a run that is alive writes checkpoints to the same place.
            CheckpointError: When the checkpoint to resume from is damaged or belongs to another run.
        """
        with checkpoints_claimed(self.settings.checkpoint_root_dir) as claim:
            self.check()
            return self.train_claimed(claim)

    def check(self) -> PlainDict:
        """Finds out whether the model fits the data and the checkpoint to resume from is of this run; writes nothing.

        Returns:
            What the run is: a checkpoint or a saved model of other values is of another run.

        Raises:
            ConfigError: When model and data do not fit.
            CheckpointError: When the checkpoint belongs to another run; names what differs.
        """
        from farm_ray.train.checkpoint_store import check_fits

        self.model.connect_heads_with_processor(self.data_silo.processor.tasks)
        self.model.verify_vocab_size(vocab_size=len(self.data_silo.processor.tokenizer))
        self.model.verify_max_seq_len(self.data_silo.processor.max_seq_len)
        self.settings = self._settings_with_content()
        identity = self.settings.identity()
        check_fits(self.settings.resume, self.settings.checkpoint_root_dir, identity)
        return identity

    def train_claimed(self, claim: Claim | None) -> AdaptiveModel:
        """As `train`, for who has called `check` and holds the place of the checkpoints by `checkpoints_claimed`."""
        if self.early_stopping is not None and hasattr(self.early_stopping, "reset"):
            self.early_stopping.reset()
        if self.tracker is not None:
            self.tracker.log_params(self.settings.identity() | self.data_silo.statistics())
        settings = self.settings.model_copy(update={"claim": None if claim is None else claim.run})
        asked = stop_on_signals() if self.checkpoint_on_sigterm else contextlib.nullcontext(StopRequest())
        with asked as stop:
            self.result = (
                self._here(settings, stop.event) if self.num_workers == 0 else self._on_ray(settings, stop.event)
            )
        self.data_silo.quarantine_while_training(self.result.problems)
        self.model.eval()
        if self.result.preempted and stop.by_interrupt:
            raise KeyboardInterrupt
        return self.model

    def _settings_with_content(self) -> TrainSettings:
        """The settings with what a checkpoint must agree with, where any may be written or read."""
        if self.settings.checkpoint_root_dir is None and self.settings.resume in {"auto", "never"}:
            return self.settings
        from farm_ray.train.run_identity import run_identity

        content = run_identity(self.model, self.data_silo, early_stopping=self.early_stopping)
        return self.settings.model_copy(update={"content": content})

    def _here(self, settings: TrainSettings, stop: threading.Event) -> TrainResult:
        import torch

        from farm_ray.ranks import Ranks
        from farm_ray.train.worker import Worker

        if self.use_gpu and not torch.cuda.is_available():
            raise ConfigError(
                "a GPU was asked for (use_gpu, device or n_gpu), and torch sees none here; leave it out",
                code="no-gpu-here",
            )
        ranks = Ranks(device=checked_device(self.device))
        with explaining():
            worker = Worker(
                lambda: self.model,
                RunSets.of(self.data_silo.data),
                settings,
                ranks=ranks,
                listener=_DriverListener(self, stop),
                early_stopping=self.early_stopping,
                own_optimizer=self.own_optimizer,
            )
            result = worker.run()
        if not result.preempted:
            self._save_best()
        return result

    def _on_ray(self, settings: TrainSettings, stop: threading.Event) -> TrainResult:
        import torch

        from farm_ray.train.on_ray import train_on_ray

        listener = _DriverListener(self, stop)
        trained = train_on_ray(
            self.model,
            RunSets.of(self.data_silo.data),
            settings,
            num_workers=self.num_workers,
            use_gpu=self.use_gpu,
            early_stopping=self.early_stopping,
            hear=listener.hear,
            stop=stop,
            max_restarts=settings.max_restarts,
            hang_timeout=settings.hang_timeout,
        )
        self.model.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in trained.weights.items()})
        if trained.early_stopping is not None:
            cast("ResumableStopper", self.early_stopping).load_state_dict(trained.early_stopping)
        if not trained.result.preempted:
            self._save_best()
        return trained.result

    def _save_best(self) -> None:
        """FARM's `EarlyStopping(save_dir=...)`: the best model and its processor in a folder."""
        folder = getattr(self.early_stopping, "save_dir", None)
        if folder is None:
            return
        from farm_ray.artifacts import publish_folder

        def write(aside: Path) -> None:
            self.model.save(aside)
            self.data_silo.processor.save(aside)

        publish_folder(folder, write)


def _check_own_optimizer(
    optimizer: object, lr_schedule: object, options: Mapping[str, object], *, in_process: bool
) -> None:
    """Raises ConfigError where an optimizer, or a schedule for one, comes with what would have no effect."""
    if optimizer is None:
        if lr_schedule is not None:
            raise ConfigError(
                "lr_schedule has no effect without its optimizer; give both, or schedule_opts",
                code="option-without-effect",
                option="lr_schedule",
            )
        return
    if not in_process:
        raise ConfigError(
            "an optimizer of your own belongs to this process; with num_workers > 0 give learning_rate, "
            "optimizer_opts and schedule_opts instead, and each worker builds it",
            code="own-optimizer-stays-here",
            option="optimizer",
        )
    without_effect = [name for name, value in options.items() if value not in (None, DEFAULTS.learning_rate)]
    if without_effect:
        raise ConfigError(
            f"{without_effect[0]} has no effect on an optimizer of your own; leave one of them out",
            code="option-without-effect",
            option=without_effect[0],
        )


@contextlib.contextmanager
def checkpoints_claimed(root: str | Path | None) -> Iterator[Claim | None]:
    """Holds the place of a run's checkpoints while the block lasts; None is a run without any.

    Raises:
        ConfigError: When a run that is alive holds it, or it cannot be written to.
    """
    if root is None:
        yield None
        return
    from farm_ray.claims import claimed

    storage.check_lasting(root, hint="give an absolute checkpoint_root_dir=...")
    place = _absolute(root)
    if not storage.is_local(place):
        storage.check_folder(place)
    with claimed(place, hint="give another checkpoint_root_dir=...") as claim:
        yield claim


def _least_and_most(num_workers: int | tuple[int, int]) -> tuple[int, int]:
    """The fewest and the most workers."""
    if isinstance(num_workers, int):
        if num_workers < 0:
            raise ConfigError(
                f"num_workers must be at least 0, not {num_workers}",
                code="invalid-value",
                option="num_workers",
                value=num_workers,
            )
        return num_workers, num_workers
    least, most = num_workers
    if not 1 <= least <= most:
        raise ConfigError(
            f"num_workers between {least} and {most} is invalid; give (least, most) with 1 <= least",
            code="invalid-value",
            option="num_workers",
            value=[least, most],
        )
    return least, most


def _resume(resume: str) -> str:
    """A checkpoint's path made absolute: workers run in folders of their own."""
    named = resume not in {"auto", "never"} and storage.local_path(resume).is_dir()
    return str(storage.local_path(resume).absolute() if named else resume)


def _absolute(folder: str | Path) -> str:
    """A local folder as workers must know it, which run in folders of their own; another address as it is."""
    return str(storage.local_path(folder).absolute()) if storage.is_local(str(folder)) else str(folder)


class _DriverListener:
    """Passes news of the run on to the trainer's `progress` and `tracker`, in the driver's process."""

    def __init__(self, trainer: Trainer, stop: threading.Event) -> None:
        self._trainer, self._stop = trainer, stop
        self._checkpoint: str | None = None

    def progress(self, stage: str, done: int, total: int | None, note: str) -> None:
        if self._trainer.progress is not None:
            self._trainer.progress(stage, done, total, note)

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        if self._trainer.tracker is not None:
            self._trainer.tracker.log_metrics(dict(values), step)

    def stop_requested(self) -> bool:
        return self._stop.is_set()

    def resumed(self, step: int) -> None:
        """The result says it too."""

    def checkpoint_known(self, name: str) -> None:
        if name != self._checkpoint:
            self._checkpoint = name
            self._trainer.on_checkpoint(name)

    def hear(
        self,
        progress: tuple[str, int, int | None, str] | None,
        metrics: list[tuple[dict[str, float], int]],
        checkpoint: str | None,
    ) -> None:
        """News from a board."""
        if checkpoint is not None:
            self.checkpoint_known(checkpoint)
        for values, step in metrics:
            self.metrics(values, step)
        if progress is not None:
            self.progress(*progress)

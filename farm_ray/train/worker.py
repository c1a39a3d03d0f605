"""What each rank of a run does, under Ray Train or in the driver's own process: the whole training loop."""

from __future__ import annotations

import contextlib
import functools
import time
import warnings
from typing import TYPE_CHECKING, Any, Protocol

from farm_ray.data_handler.bounds import Bounds, check_tables
from farm_ray.data_handler.feed.base import FeedPlan
from farm_ray.data_handler.order import Position, advance
from farm_ray.data_handler.order.order_hash import as_text
from farm_ray.errors import DataProblemError
from farm_ray.eval import Evaluator, evaluate
from farm_ray.modeling.optimization import WrappedDDP, initialize_optimizer
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.reproducibility import set_all_seeds
from farm_ray.storage.scratch import scratch_folder
from farm_ray.train import checkpoint, checkpoint_store, resume_point
from farm_ray.train.checkpoint import DamagedCheckpointError
from farm_ray.train.checkpoint_store import CheckpointStore
from farm_ray.train.checkpoint_writer import CheckpointWriter
from farm_ray.train.notices import Notice, Notices
from farm_ray.train.settings import TrainResult, TrainSettings
from farm_ray.train.step import LostSteps, TrainState, train_step
from farm_ray.train.step_log import StepLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa
    import torch

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.feed.base import Feed, Step
    from farm_ray.data_handler.run_sets import RunSets
    from farm_ray.evaluation.results import HeadResult
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.plain import PlainDict
    from farm_ray.ranks import Ranks
    from farm_ray.train.stopper import Stopper


_GPU_WIDTH_MULTIPLE = 8
"""Batch widths that matrix units like."""


class Listener(Protocol):
    """Hears of the run on rank 0, and may ask for a stop."""

    def progress(self, stage: str, done: int, total: int | None, note: str) -> None:
        """Some of a stage is done."""

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Numbers of this step for the run's log."""

    def stop_requested(self) -> bool:
        """Whether the run shall write a checkpoint and end."""

    def resumed(self, step: int) -> None:
        """The run resumes after so many steps."""

    def checkpoint_known(self, name: str) -> None:
        """The run has this checkpoint: it resumed from it, or wrote it; then called by the thread that wrote it."""


class Worker:
    """One rank of a run.

    Holds the run's state between steps: the trainee, how far it is, and the best weights under early stopping.

    Args:
        load_model: Gives the model; called when the feed reads ahead already, as unpacking a model takes seconds.
        sets: What to train on, and what to score.
        settings: Of the run, the same on every rank.
        ranks: This process among them.
        listener: Hears of the run.
        early_stopping: As for `Trainer`.
        own_optimizer: As for `Trainer`: optimizer and scheduler.
        written: Name of the newest checkpoint that an earlier attempt of this run has written or resumed from: without
            it, or a newer one, the run does not continue.
        beat: Called whenever the run has got on.
        notice: Asked now and then by all ranks at once, where machines may be taken away.
    """

    def __init__(
        self,
        load_model: Callable[[], AdaptiveModel],
        sets: RunSets,
        settings: TrainSettings,
        *,
        ranks: Ranks,
        listener: Listener,
        early_stopping: Stopper | None = None,
        own_optimizer: tuple[torch.optim.Optimizer, object] | None = None,
        written: str | None = None,
        beat: Callable[[], None] = lambda: None,
        notice: Callable[[], Notice] | None = None,
    ) -> None:
        self.sets = sets.padded_to(_GPU_WIDTH_MULTIPLE) if ranks.device.type == "cuda" else sets
        self.settings, self.ranks, self.listener, self.beat = settings, ranks, listener, beat
        self.notices = Notices(notice)
        self.early_stopping = early_stopping
        root = settings.checkpoint_root_dir
        self.store = None if root is None else CheckpointStore(root, claim=settings.claim)
        self.writer: CheckpointWriter | None = None
        self.feed: Feed = self.sets.train.feed(ranks, _plan(settings))
        with contextlib.ExitStack() as opened:
            opened.callback(self.feed.close)
            self.scratch = opened.enter_context(scratch_folder("resume"))
            if self.store is not None and ranks.is_first:
                self.store.tidy()
            self.resumes_from = resume_point.find(settings, ranks, self.scratch, written=written)
            begin = None if self.resumes_from is None else self.resumes_from.path
            self.feed.read_ahead(checkpoint.read_position(begin))
            self.trainee = self._trainee(load_model(), own_optimizer)
            bounds = Bounds.of(self.trainee.model.language_model)
            ranks.done_by_first(lambda: check_tables(self.sets.loaded(), bounds))
            self._opened = opened.pop_all()
        self.lost_steps = LostSteps.for_precision(self.trainee.precision)
        self.progress = checkpoint.Progress()
        self.step_log = StepLog()
        self.best_weights: dict[str, torch.Tensor] | None = None
        self._problems_before: pa.Table | None = None
        self.result = TrainResult(device=str(ranks.device), precision=self.trainee.precision.name)
        self.clock = dict.fromkeys(("train", "data", "first_batch", "eval", "checkpoint"), 0.0)
        self.rows_here = 0
        self.last_checkpoint_at = time.monotonic()
        self.last_checkpoint_step = -1

    def run(self) -> TrainResult:
        """Trains from the start or a checkpoint to the end, and evaluates. The result is the same on every rank."""
        with self._opened:
            try:
                return self._run()
            except Exception:
                # What is being written shall be whole; the error of the run is the one to tell.
                if self.writer is not None:
                    self.writer.wait()
                raise

    def _run(self) -> TrainResult:
        set_all_seeds(self.settings.seed + self.ranks.rank)
        self.feed.check()
        self._resume()
        model = self.trainee.model
        model.train()
        # Gradients that an earlier, broken-off run left in the model are not ours.
        self.trainee.optimizer.zero_grad(set_to_none=True)
        last = Position()
        while self.progress.position.epoch < self.settings.epochs and not self.progress.stopped_early:
            epoch = self.progress.position.epoch
            for step in self._timed(self.feed.steps(self.progress.position)):
                last = step.position
                if self._step(step):
                    return self._preempted(last)
                if self.progress.stopped_early:
                    break
            else:
                # Only a stream learns at its end that this was the end.
                if self.progress.position.epoch == epoch:
                    self.progress.position = Position(epoch=epoch + 1)
                self._checkpoint_at_epoch_end(last)
        return self._finish()

    def identity(self) -> PlainDict:
        """What a checkpoint must agree with: the settings, the model, and the data."""
        parameters = sum(parameter.numel() for parameter in self.trainee.model.parameters())
        return self.settings.identity() | {
            "precision": self.trainee.precision.name,
            "model parameters": parameters,
        }

    def _trainee(self, model: AdaptiveModel, own_optimizer: tuple[torch.optim.Optimizer, Any] | None) -> TrainState:
        settings, ranks = self.settings, self.ranks
        if own_optimizer is None:
            _, optimizer, scheduler = initialize_optimizer(
                model,
                n_batches=self.feed.batches_per_epoch,
                n_epochs=settings.epochs,
                device=ranks.device,
                learning_rate=settings.learning_rate,
                optimizer_opts=settings.optimizer_opts,
                schedule_opts=settings.schedule_opts,
                grad_acc_steps=settings.grad_acc_steps,
            )
        else:
            model.to(ranks.device)
            optimizer, scheduler = own_optimizer
        return TrainState(
            model=model,
            wrapped=_wrapped(model, ranks),
            optimizer=optimizer,
            scheduler=scheduler,
            precision=Precision.resolve(settings.use_amp, ranks.device),
            ranks=ranks,
            max_grad_norm=settings.max_grad_norm,
        )

    def _resume(self) -> None:
        while self.resumes_from is not None:
            found = self.resumes_from.found
            damage = self._restored(self.resumes_from.path)
            told = next((error for error in self.ranks.gather(damage) if error is not None), None)
            if told is None:
                self._resumed(found)
                return
            if self.settings.resume != "auto":
                raise told
            warnings.warn(f"skipping a checkpoint: {told}", stacklevel=2)
            self.resumes_from = resume_point.before(self.resumes_from, self.ranks, self.scratch)
            self.feed.read_ahead(checkpoint.read_position(self.resumes_from.path))

    def _resumed(self, found: checkpoint_store.Found) -> None:
        if self._problems_before is not None:
            self.feed.go_on_from(self._problems_before)
        root, steps = found.store.root, self.progress.global_step
        self.step_log = self.ranks.done_by_first(functools.partial(StepLog.load, root, steps=steps))
        self.last_checkpoint_step = steps
        self.result.resumed_from, self.result.resumed_from_step = str(found), steps
        if self.ranks.is_first:
            self.listener.resumed(steps)
        if self.ranks.is_first and self.settings.resume == "auto":
            self.listener.checkpoint_known(found.name)

    def _restored(self, path: Path) -> DamagedCheckpointError | None:
        """Puts everything back as it was; what is wrong with the checkpoint where that cannot be done."""
        try:
            self.progress = checkpoint.read_progress(path, identity=self.identity())
            self._check_lanes(path, self.progress.position)
            self.best_weights = checkpoint.restore(path, self.trainee)
            self._problems_before = checkpoint.read_problems(path)
            if self.early_stopping is not None and hasattr(self.early_stopping, "reset"):
                # What a damaged checkpoint gave it must not stay.
                self.early_stopping.reset()
            if self.early_stopping is not None and self.progress.early_stopping is not None:
                checkpoint.restore_early_stopping(path, self.early_stopping, self.progress.early_stopping)
        except DamagedCheckpointError as error:
            return error
        return None

    def _check_lanes(self, path: Path, position: Position) -> None:
        if len(position.lanes) not in {0, self.feed.lanes}:
            found = f"places in {len(position.lanes)} lanes, and the training data has {self.feed.lanes}"
            raise DamagedCheckpointError(
                f"{path} is damaged ({found}); start again with --resume never",
                code="damaged-checkpoint",
                file=str(path),
            )

    def _timed(self, steps: Iterator[Step]) -> Iterator[Step]:
        """The steps; the time until each is there counts as training, and by itself as waiting for data."""
        while True:
            started = time.perf_counter()
            step = next(steps, None)
            waited = time.perf_counter() - started
            self.clock["train"] += waited
            # The first batch waits for readers to start; that says nothing about whether they keep up.
            self.clock["data" if self.clock["first_batch"] else "first_batch"] += waited
            if step is None:
                return
            yield step

    def _step(self, step: Step) -> bool:
        """One optimizer step and what is due after it; true when the run shall stop here."""
        started = time.perf_counter()
        progress = self.progress
        loss, updated = train_step(
            self.trainee, step.micro_batches, rows_in_step=step.rows, global_step=progress.global_step
        )
        asked = self.ranks.is_first and self.listener.stop_requested()
        due = self.ranks.is_first and self._seconds_are_over()
        look = self.ranks.is_first and self.notices.due()
        mean_loss, stop, due_by_time, look_now = self.ranks.sum(loss, float(asked), float(due), float(look))
        self.beat()
        if (step.position.epoch, step.position.step) < (progress.position.epoch, progress.position.step):
            progress.rows_repeated += step.rows
        progress.order_hash = advance(progress.order_hash, step.row_sum)
        progress.global_step += 1
        progress.rows += step.rows
        self.rows_here += step.rows
        self.step_log.add(mean_loss, float(self.trainee.optimizer.param_groups[0]["lr"]))
        progress.position = step.following
        self.clock["train"] += time.perf_counter() - started
        if self.lost_steps.too_many(mean_loss, updated=updated):
            self._refuse_loss(mean_loss, step)
        self._tell(step.position)
        self._evaluate_if_due()
        every = self.settings.checkpoint_every
        notice = self.notices.hear() if look_now else Notice.NONE
        if due_by_time or notice is Notice.SAVE or (every and progress.global_step % every == 0):
            self._write_checkpoint(step.position)
        return stop > 0 or notice is Notice.STOP

    def _refuse_loss(self, loss: float, refused: Step) -> None:
        step, ids = self.progress.global_step, ", ".join(refused.ids())
        if self.lost_steps.most == 0:
            raise DataProblemError(
                f"the loss became {loss} at step {step} (rows {ids}, ...); "
                "a smaller learning_rate or max_grad_norm usually helps",
                code="loss-not-finite",
                value=loss,
                step=step,
            )
        raise DataProblemError(
            f"fp16 overflowed in {self.lost_steps.in_a_row} steps in a row, and none of them updated the weights; "
            f"the last is step {step} with a loss of {loss} (rows {ids}, ...); "
            'use_amp="bf16" or None usually helps, or a smaller learning_rate',
            code="loss-not-finite",
            value=loss,
            step=step,
        )

    def _tell(self, position: Position) -> None:
        if not self.ranks.is_first:
            return
        progress, settings = self.progress, self.settings
        total = self.feed.steps_per_epoch * settings.epochs
        loss = self.step_log.losses[-1]
        self.listener.progress("train", progress.global_step, total, f"epoch {position.epoch + 1} loss {loss:.4f}")
        if settings.log_loss_every and progress.global_step % settings.log_loss_every == 0:
            numbers = {"Train_loss_total": loss}
            if settings.log_learning_rate:
                numbers["learning_rate"] = self.step_log.learning_rates[-1]
            self.listener.metrics(numbers, progress.global_step)

    def _evaluate_if_due(self) -> None:
        every = self.settings.evaluate_every
        if not every or self.progress.global_step % every or self.sets.dev is None:
            return
        self._evaluate_dev()

    def _evaluate_dev(self) -> None:
        self.result.dev = self._score("dev", self.sets.dev)
        self.progress.scored_at = self.progress.global_step
        if self.early_stopping is None or self.result.dev is None:
            return
        stop, save, _ = self.early_stopping.check_stopping(self.result.dev)
        # FARM asks to save only where a save_dir is given; the best weights are worth keeping without one too.
        if getattr(self.early_stopping, "is_best", save):
            state = self.trainee.model.state_dict()
            self.best_weights = {n: tensor.detach().cpu().clone().contiguous() for n, tensor in state.items()}
        # Any object with FARM's check_stopping may watch; only those with a state can be resumed.
        state_dict = getattr(self.early_stopping, "state_dict", None)
        self.progress.early_stopping = None if state_dict is None else state_dict()
        self.progress.stopped_early = bool(stop)

    def _score(self, name: str, rows: FeatureSet | None) -> list[HeadResult] | None:
        if rows is None:
            return None
        started = time.perf_counter()
        if self.ranks.is_first:
            self.listener.progress(f"evaluate {name} rows", 0, len(rows), "")
        results = evaluate(
            self.trainee.model,
            rows,
            batch_size=self.settings.eval_batch_size,
            ranks=self.ranks,
            precision=self.trainee.precision,
            report=self.settings.eval_report,
            beat=self.beat,
        )
        self.clock["eval"] += time.perf_counter() - started
        if self.ranks.is_first:
            self.listener.progress(f"evaluate {name} rows", len(rows), len(rows), "")
            step = self.progress.global_step
            self.listener.metrics(Evaluator.log_results(results, name, step), step)
        return results

    def _seconds_are_over(self) -> bool:
        every = self.settings.checkpoint_every_seconds
        return every is not None and time.monotonic() - self.last_checkpoint_at >= every

    def _checkpoint_at_epoch_end(self, last: Position) -> None:
        if self.settings.checkpoint_every or self.settings.checkpoint_every_seconds is not None:
            self._write_checkpoint(last)

    def _write_checkpoint(self, last: Position) -> None:
        """Takes a snapshot, which rank 0 writes while the training goes on; nothing where this step has one."""
        if self.store is None or self.last_checkpoint_step == self.progress.global_step:
            return
        started = time.perf_counter()
        self.progress.position = self.feed.whole_position(self.progress.position)
        states = self.ranks.gather(checkpoint.random_state())
        problems = self.feed.problems()
        if self.ranks.is_first:
            snapshot = checkpoint.take(
                self.trainee,
                self.progress,
                identity=self.identity(),
                random_states=states,
                best_weights=self.best_weights,
                problems=problems,
                last=last,
            )
            self._checkpoint_writer(self.store).write(snapshot, steps=self.progress.global_step)
        self.last_checkpoint_step = self.progress.global_step
        self.last_checkpoint_at = time.monotonic()
        self.clock["checkpoint"] += time.perf_counter() - started

    def _checkpoint_writer(self, store: CheckpointStore) -> CheckpointWriter:
        if self.writer is None:
            found = None if self.resumes_from is None else self.resumes_from.found
            self.writer = CheckpointWriter(
                store,
                keep=self.settings.checkpoints_to_keep,
                step_log=self.step_log,
                resumed_from=found.name if found is not None and found.store == store else None,
                on_written=self._checkpoint_written,
            )
        return self.writer

    def _checkpoint_written(self, address: str) -> None:
        self.result.checkpoint = address
        self.listener.checkpoint_known(address.rstrip("/").rpartition("/")[2].partition("?")[0])

    def _preempted(self, last: Position) -> TrainResult:
        self._write_checkpoint(last)
        self.result.preempted = True
        return self._filled()

    def _finish(self) -> TrainResult:
        if self.progress.scored_at != self.progress.global_step and not self.progress.stopped_early:
            self._evaluate_dev()
        if self.best_weights is not None:
            self.trainee.model.load_state_dict(self.best_weights)
            self.result.dev = None
        if self.result.dev is None:
            self.result.dev = self._score("dev", self.sets.dev)
        if self.settings.evaluator_test:
            self.result.test = self._score("test", self.sets.test)
        return self._filled()

    def _filled(self) -> TrainResult:
        started = time.perf_counter()
        if self.writer is not None:
            self.writer.finish()
        self.clock["checkpoint"] += time.perf_counter() - started
        result, progress = self.result, self.progress
        result.steps, result.rows = progress.global_step, progress.rows
        result.rows_repeated = progress.rows_repeated
        result.order_hash = as_text(progress.order_hash)
        result.problems = self.feed.problems()
        result.losses, result.learning_rates = self.step_log.losses, self.step_log.learning_rates
        result.seconds = dict(self.clock)
        result.rows_per_second = self.rows_here / self.clock["train"] if self.clock["train"] else 0.0
        return result


def _plan(settings: TrainSettings) -> FeedPlan:
    return FeedPlan(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        grad_acc_steps=settings.grad_acc_steps,
        seed=settings.data_seed,
    )


def _wrapped(model: AdaptiveModel, ranks: Ranks) -> torch.nn.Module:
    if ranks.world_size == 1:
        return model
    devices = [ranks.device] if ranks.device.type == "cuda" else None
    return WrappedDDP(model, device_ids=devices, find_unused_parameters=len(model.prediction_heads) != 1)

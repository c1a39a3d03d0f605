"""One run from its configuration to a saved, evaluated model."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray import cluster
from farm_ray.errors import ConfigError
from farm_ray.experiment import folder as folders
from farm_ray.experiment.assemble import check_experiment, make_silo, prepare_data
from farm_ray.experiment.config import write_experiment
from farm_ray.experiment.finished import METRICS, inputs_of, result_of_same, result_of_untouched
from farm_ray.experiment.heads import make_model
from farm_ray.experiment.initial_model import begin_from_scratch, load_pretrained
from farm_ray.experiment.result import Result, by_set, reports
from farm_ray.options import fields_for
from farm_ray.tracking import LOGGERS
from farm_ray.train.options import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.data_silo.base import BaseSilo
    from farm_ray.data_handler.processor import Processor
    from farm_ray.experiment.config import Experiment
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.progress import Progress
    from farm_ray.tracking import RunLogger
    from farm_ray.train import EarlyStopping, Trainer


logger = logging.getLogger(__name__)


def run_experiment(
    experiment: Experiment,
    *,
    output_dir: str | Path | None = None,
    num_workers: int | tuple[int, int] = 1,
    use_gpu: bool = False,
    resume: str = "auto",
    address: str | None = None,
    max_restarts: int = DEFAULTS.max_restarts,
    hang_timeout: float = DEFAULTS.hang_timeout,
    progress: Progress | None = None,
) -> Result:
    """Prepares the data, trains, evaluates and saves the model to `output_dir/model`.

    A run that has ended is not done again: its result comes from `output_dir/model`, unless `resume` is `never`.

    Args:
        experiment: What to run.
        output_dir: Folder of the run; None is the experiment's own, or else `runs/<name>`.
        num_workers: Training workers on Ray, or the fewest and the most; 0 does everything in this process, without
            Ray.
        use_gpu: One GPU per worker.
        resume: `auto` goes on from the newest checkpoint of this run, as FARM's `latest` does; `never` starts from
            scratch, a path names a checkpoint.
        address: As for `farm_ray.cluster.connect`.
        max_restarts: As for `TrainerOptions`.
        hang_timeout: As for `TrainerOptions`.
        progress: Called with (stage, done, total or None, note).

    Raises:
        ConfigError: On settings that are invalid, found before any work where possible; when a run that is alive
            uses the folder.
        DataProblemError: On data that cannot be used.
        ModelFolderError: On a model that cannot be read.
        CheckpointError: On a checkpoint that is damaged or of another run.
        ClusterError: On a cluster that cannot be reached.
    """
    from farm_ray.train.checkpoint_store import check_named
    from farm_ray.train.trainer import checkpoints_claimed

    check_experiment(experiment)
    output = folders.output_path(output_dir, experiment.output_dir or Path("runs") / experiment.name)
    least = num_workers if isinstance(num_workers, int) else num_workers[0]
    check_device(experiment.train.use_amp, num_workers=least, use_gpu=use_gpu)
    resume = "auto" if resume == "latest" else resume
    check_named(resume, _checkpoint_root(experiment, output))
    with contextlib.ExitStack() as held:
        target = held.enter_context(folders.output_folder(output, experiment))
        finished = output / folders.MODEL if resume == "auto" else None
        if finished is not None and (result := result_of_untouched(finished, experiment)) is not None:
            return _nothing_to_do(result)
        if resume == "auto":
            target.check_checkpoints(_checkpoint_root(experiment, output))
        claim = held.enter_context(checkpoints_claimed(_checkpoint_root(experiment, output)))
        # First of all, as a wrong name or a half-copied folder should not cost the time of the preprocessing.
        pretrained = None if experiment.model.from_scratch is not None else load_pretrained(experiment)
        if least > 0:
            _connect(address, num_workers=least, use_gpu=use_gpu)
        started = time.perf_counter()
        prepare_data(experiment)
        inputs = inputs_of(experiment)
        processor, language_model = pretrained or begin_from_scratch(
            experiment, target, in_process=least == 0, progress=progress
        )
        silo = make_silo(
            experiment, processor, in_process=least == 0, problems_dir=target.problems_dir, progress=progress
        )
        model = make_model(experiment, silo, language_model)
        preprocess_seconds = time.perf_counter() - started
        tracker = LOGGERS[experiment.train.tracker]()
        trainer = _make_trainer(
            experiment,
            silo,
            model,
            output,
            num_workers=num_workers,
            use_gpu=use_gpu,
            resume=resume,
            max_restarts=max_restarts,
            hang_timeout=hang_timeout,
            progress=progress,
            tracker=tracker,
        )
        identity = trainer.check()
        if finished is not None and (result := result_of_same(finished, identity)) is not None:
            return _nothing_to_do(result)
        target.accept(experiment)
        trainer.on_checkpoint = functools.partial(target.note_checkpoint, _checkpoint_root(experiment, output))
        silo.keep_problems(output)
        trained = trainer.train_claimed(claim)
        result = _result(trainer, silo, output, preprocess_seconds)
        if result.model_dir is not None:
            target.claim.check()
            made_of = {"identity": identity, "inputs": inputs}
            _save(output / folders.MODEL, experiment, trained, silo.processor, trainer, result.as_dict() | made_of)
            tracker.log_artifacts(result.model_dir)
        tracker.end_run()
    return result


def _nothing_to_do(result: Result) -> Result:
    logger.info("%s is finished, nothing to do; --resume never trains it again", result.model_dir)
    return result


def check_device(use_amp: str | None, *, num_workers: int, use_gpu: bool) -> None:
    """A GPU that is not in this process, and number formats that the device cannot do."""
    import torch

    from farm_ray.modeling.optimization.precision import check_use_amp

    if use_gpu and num_workers == 0 and not torch.cuda.is_available():
        raise ConfigError(
            "use_gpu was asked for, and torch sees no GPU here; leave it out", code="no-gpu-here", option="use_gpu"
        )
    check_use_amp(use_amp, "cuda" if use_gpu else "cpu")


def _connect(address: str | None, *, num_workers: int, use_gpu: bool) -> None:
    from farm_ray.train.on_ray import check_room

    cluster.connect(address)
    # Another cluster may still grow; the trainer waits for that.
    if cluster.is_local():
        check_room(num_workers, use_gpu=use_gpu)


def _checkpoint_root(experiment: Experiment, output: Path) -> str:
    return experiment.train.checkpoint_root_dir or str(output / folders.CHECKPOINTS)


def _make_trainer(
    experiment: Experiment,
    silo: BaseSilo,
    model: AdaptiveModel,
    output: Path,
    *,
    num_workers: int | tuple[int, int],
    use_gpu: bool,
    resume: str,
    max_restarts: int,
    hang_timeout: float,
    progress: Progress | None,
    tracker: RunLogger,
) -> Trainer:
    from farm_ray.train import Trainer

    options = fields_for(Trainer, experiment.train) | {
        "early_stopping": early_stopping(experiment),
        "checkpoint_root_dir": _checkpoint_root(experiment, output),
        "tracker": tracker,
    }
    return Trainer(
        model=model,
        data_silo=silo,
        **options,
        seed=experiment.seed,
        num_workers=num_workers,
        use_gpu=use_gpu,
        resume=resume,
        max_restarts=max_restarts,
        hang_timeout=hang_timeout,
        progress=progress,
    )


def early_stopping(experiment: Experiment) -> EarlyStopping | None:
    """What ends the training before its last epoch, where the experiment asks for it."""
    from farm_ray.train.early_stopping import EarlyStopping

    stopping = experiment.train.early_stopping
    return None if stopping is None else EarlyStopping(**fields_for(EarlyStopping, stopping))


def _result(trainer: Trainer, silo: BaseSilo, output: Path, preprocess_seconds: float) -> Result:
    done = trainer.result
    metrics = by_set(done.dev, done.test)
    for name, numbers in metrics.items():
        logger.info("%s: %s", name, ", ".join(_shown(numbers)))
    return Result(
        status="preempted" if done.preempted else "ok",
        metrics=metrics,
        rows=done.rows,
        rows_repeated=done.rows_repeated,
        restarts=done.restarts,
        steps=done.steps,
        seconds={
            "preprocess": round(preprocess_seconds, 3),
            **{stage: round(done.seconds.get(stage, 0.0), 3) for stage in ("train", "data", "eval")},
        },
        rows_per_second=round(done.rows_per_second, 2),
        order_hash=done.order_hash,
        problems=silo.problem_counts(),
        model_dir=None if done.preempted else str(output / folders.MODEL),
        resumed_from_step=done.resumed_from_step,
    )


def _shown(numbers: Mapping[str, object], prefix: str = "") -> list[str]:
    """`acc 0.7912`, with the task's name in front where there are several."""
    shown = []
    for name, value in numbers.items():
        shown += _shown(value, f"{name} ") if isinstance(value, dict) else [f"{prefix}{name} {value:.4f}"]
    return shown


def _save(
    path: Path,
    experiment: Experiment,
    model: AdaptiveModel,
    processor: Processor,
    trainer: Trainer,
    told: Mapping[str, object],
) -> None:
    from farm_ray.artifacts import publish_folder

    facts: dict[str, object] = {
        **told,
        # JSON has no NaN; fp16 may have steps without a loss.
        "losses": [loss if math.isfinite(loss) else None for loss in trainer.result.losses],
        "reports": reports(trainer.result.dev, trainer.result.test),
    }

    def write(aside: Path) -> None:
        model.save(aside)
        processor.save(aside)
        write_experiment(experiment, aside / folders.EXPERIMENT)
        (aside / METRICS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    publish_folder(path, write)

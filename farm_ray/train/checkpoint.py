"""Checkpoints: one folder per checkpoint, whole or not there, with everything a run needs to go on.

`epoch_{epoch}_step_{step}` names the last finished step (both from 0). Inside: a normal model save, so that the folder
can be loaded for inference, `training_state.pt` (optimizer, scheduler, scaler, random states; read without unpickling
anything but tensors and plain values) and `progress.json` (position, order hash, settings, early stopping). What grows
with the steps is not inside: `step_log` keeps it beside the checkpoints.
"""

from __future__ import annotations

import dataclasses
import json
import random
import re
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import torch

from farm_ray.artifacts import CHECKSUMS, publish_folder, remove_leftovers, verify_folder
from farm_ray.data_handler.order import Position
from farm_ray.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from farm_ray.train.step import Trainee

_NAME = re.compile(r"epoch_(\d+)_step_(\d+)")
_STATE, _PROGRESS, _BEST = "training_state.pt", "progress.json", "best.safetensors"
_PROBLEMS = "problems.parquet"
FORMAT = 2


@dataclasses.dataclass(kw_only=True)
class Progress:
    """How far a run has come; JSON-able."""

    position: Position = dataclasses.field(default_factory=Position)
    """The next step to do."""
    global_step: int = 0
    """Optimizer steps done."""
    rows: int = 0
    order_hash: int = 0
    early_stopping: dict[str, Any] | None = None
    stopped_early: bool = False
    scored_at: int | None = None
    """`global_step` of the last dev evaluation."""


def write(
    root: Path,
    trainee: Trainee,
    progress: Progress,
    *,
    identity: Mapping[str, Any],
    random_states: list[dict[str, Any]],
    best_weights: dict[str, torch.Tensor] | None,
    problems: pa.Table | None = None,
    last: Position,
    keep: int,
) -> Path:
    """Writes a checkpoint below `root` and removes all but the newest `keep`, those of later steps, and leftovers.

    Args:
        root: Folder of the run's checkpoints.
        trainee: Model, optimizer, scheduler and scaler.
        progress: Where the run stands.
        identity: What must be equal when the run goes on.
        random_states: From `random_state`, one per rank.
        best_weights: The best model's weights so far, under early stopping.
        problems: Rows that were set aside while training.
        last: The last finished step, for the name.
        keep: How many checkpoints stay.
    """

    def fill(folder: Path) -> None:
        from safetensors.torch import save_file

        trainee.model.save(folder)
        torch.save(_training_state(trainee, random_states), folder / _STATE)
        if best_weights is not None:
            save_file(best_weights, folder / _BEST)
        if problems is not None:
            pq.write_table(problems, folder / _PROBLEMS)
        record = dataclasses.asdict(progress) | {"format": FORMAT, "identity": dict(identity)}
        (folder / _PROGRESS).write_text(json.dumps(record), encoding="utf-8")

    path = publish_folder(root / f"epoch_{last.epoch}_step_{last.step}", fill)
    remove_leftovers(root)
    everything = _all(root)
    after = everything.index(path) + 1
    # Later ones are of a run that was given up: by `never`, or by going on from an earlier checkpoint.
    for old in everything[:after][:-keep] + everything[after:]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def find(resume: str, root: Path | None) -> Path | None:
    """The checkpoint to go on from: the newest whole one for `auto`, none for `never`, else the one named.

    Raises:
        CheckpointError: When a named checkpoint is missing or damaged. Damaged ones are skipped with a warning by
            `auto`.
    """
    if resume == "never" or (resume == "auto" and root is None):
        return None
    if resume != "auto":
        return _named(resume, root)
    for path in reversed(_all(root) if root is not None else []):
        try:
            _check(path)
        except CheckpointError as error:
            warnings.warn(f"skipping a checkpoint: {error}", stacklevel=2)
        else:
            return path
    return None


def read_progress(path: Path, *, identity: Mapping[str, Any]) -> Progress:
    """The progress stored in a checkpoint.

    Raises:
        CheckpointError: When the checkpoint belongs to a run with other data or settings; names what differs.
    """
    try:
        record = json.loads((path / _PROGRESS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CheckpointError(f"{path} holds no readable {_PROGRESS}; it is not a checkpoint of farm_ray") from None
    if record.pop("format", None) != FORMAT:
        raise CheckpointError(f"{path} was written by another version of farm_ray; start anew with --resume never")
    stored = record.pop("identity")
    wanted = json.loads(json.dumps(dict(identity)))
    differing = [name for name in wanted if stored.get(name) != wanted[name]]
    if differing:
        told = ", ".join(f"{name} was {stored.get(name)!r} and is {wanted[name]!r}" for name in differing)
        raise CheckpointError(
            f"checkpoint {path} belongs to another run: {told}; set them back, use --resume never, "
            "or give another output folder",
            differing=differing,
        )
    return Progress(**record | {"position": Position.from_json(record["position"])})


def restore(path: Path, trainee: Trainee) -> dict[str, torch.Tensor] | None:
    """Puts model, optimizer, scheduler, scaler and random states back; returns the best weights, if stored."""
    from safetensors.torch import load_file

    from farm_ray.modeling.adaptive_model import AdaptiveModel

    model = trainee.model
    model.load_state_dict(AdaptiveModel.load(path, device=trainee.ranks.device).state_dict())
    state = torch.load(path / _STATE, map_location="cpu", weights_only=True)
    trainee.optimizer.load_state_dict(state["optimizer"])
    if trainee.scheduler is not None:
        trainee.scheduler.load_state_dict(state["scheduler"])
    trainee.precision.scaler.load_state_dict(state["scaler"])
    states = state["random_states"]
    # With another number of ranks the old streams have no owner; dropout then draws from fresh ones.
    if len(states) == trainee.ranks.world_size:
        set_random_state(states[trainee.ranks.rank])
    best = path / _BEST
    return load_file(best) if best.is_file() else None


def read_problems(path: Path) -> pa.Table | None:
    """The rows that the run had set aside while training; None for none."""
    file = path / _PROBLEMS
    return pq.read_table(file) if file.is_file() else None


def random_state() -> dict[str, Any]:
    """The state of every generator of this process, as tensors and plain values."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002 - the global generator
    version, internal, next_gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [str(name), [int(key) for key in keys], int(position), int(has_gauss), float(gauss)],
        "python": [version, list(internal), next_gauss],
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Puts every generator of this process where `random_state` found it."""
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), position, has_gauss, gauss))  # noqa: NPY002 - as above
    version, internal, next_gauss = state["python"]
    random.setstate((version, tuple(internal), next_gauss))


def _training_state(trainee: Trainee, random_states: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "optimizer": trainee.optimizer.state_dict(),
        "scheduler": None if trainee.scheduler is None else trainee.scheduler.state_dict(),
        "scaler": trainee.precision.scaler.state_dict(),
        "random_states": random_states,
    }


def _all(root: Path) -> list[Path]:
    """Checkpoints below `root`, oldest first."""
    if not root.is_dir():
        return []
    named = [(match, path) for path in root.iterdir() if (match := _NAME.fullmatch(path.name)) and path.is_dir()]
    return [path for match, path in sorted(named, key=lambda item: (int(item[0][1]), int(item[0][2])))]


def _named(resume: str, root: Path | None) -> Path:
    candidates = [Path(resume)] + ([root / resume] if root is not None else [])
    for path in candidates:
        if path.is_dir():
            _check(path)
            return path
    there = ", ".join(path.name for path in _all(root)) if root is not None else ""
    raise CheckpointError(f"no checkpoint at {resume}" + (f"; there are: {there}" if there else ""), file=resume)


def _check(path: Path) -> None:
    for name in (_STATE, _PROGRESS, CHECKSUMS):
        if not (path / name).is_file():
            raise CheckpointError(f"{path} is no whole checkpoint: {name} is missing", file=str(path / name))
    verify_folder(path, full=True, error=CheckpointError)

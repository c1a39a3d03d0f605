"""What a checkpoint holds: one folder with everything a run needs to go on; `checkpoint_store` knows where it lies.

`epoch_{epoch}_step_{step}` names the last finished step (both from 0). Inside: a normal model save, so that the folder
can be loaded for inference, `training_state.pt` (optimizer, scheduler, scaler, random states; read without unpickling
anything but tensors and plain values) and `progress.json` (position, order hash, settings, early stopping). What grows
with the steps is not inside: `step_log` keeps it beside the checkpoints.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import hashlib
import json
import pickle
import random
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow.parquet as pq
import torch

from farm_ray import storage
from farm_ray.artifacts import CHECKSUMS, verify_folder
from farm_ray.data_handler.order import Position
from farm_ray.errors import CheckpointError, FarmRayError, ModelFolderError
from farm_ray.foreign import JSON_BYTES, decoded, parse_json, read_text, shown, told
from farm_ray.storage.untrusted import pickled_columns
from farm_ray.train.optimizer_state import check_optimizer_state, check_scheduler_state
from farm_ray.train.settings import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.plain import PlainDict, PlainMapping
    from farm_ray.train.step import TrainState
    from farm_ray.train.stopper import ResumableStopper, Stopper

_STATE, _PROGRESS, _BEST = "training_state.pt", "progress.json", "best.safetensors"
_PROBLEMS = "problems.parquet"
_SUMMED = (".json", ".parquet", ".pt", ".safetensors")
"""Suffixes of the files that are read, each of which has its check sum."""
FORMAT = 4
_MOST_DIFFERENCES = 3
_COUNTS = 1 << 64


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that is not as it was written; the one before may be."""


@dataclasses.dataclass(kw_only=True)
class Progress:
    """How far a run has come; JSON-able."""

    position: Position = dataclasses.field(default_factory=Position)
    """The next step to do."""
    global_step: int = 0
    """Optimizer steps done."""
    rows: int = 0
    rows_repeated: int = 0
    """Rows of steps that had been done before."""
    order_hash: int = 0
    early_stopping: dict[str, Any] | None = None
    stopped_early: bool = False
    scored_at: int | None = None
    """`global_step` of the last dev evaluation."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything a checkpoint holds, copied: training may go on while it is written."""

    name: str
    """Of the checkpoint, from the last finished step."""
    model: AdaptiveModel
    """On the CPU."""
    state: PlainDict
    """Of optimizer, scheduler, scaler and random generators."""
    record: dict[str, object]
    """The progress and the run's identity, JSON-able."""
    best_weights: dict[str, torch.Tensor] | None
    """The best model's weights so far, under early stopping."""
    problems: pa.Table | None
    """Rows that were quarantined while training."""


def take(
    trainee: TrainState,
    progress: Progress,
    *,
    identity: Mapping[str, object],
    random_states: list[PlainDict],
    best_weights: dict[str, torch.Tensor] | None,
    problems: pa.Table | None = None,
    last: Position,
) -> Snapshot:
    """A copy of where the run stands, in the memory of the CPU; takes about as long as copying the weights.

    Args:
        trainee: Model, optimizer, scheduler and scaler.
        progress: Where the run stands.
        identity: What must be equal when the run goes on.
        random_states: From `random_state`, one per rank.
        best_weights: As in the snapshot; not changed any more by who gives them.
        problems: As in the snapshot.
        last: The last finished step, for the name.
    """
    return Snapshot(
        name=f"epoch_{last.epoch}_step_{last.step}",
        model=_on_cpu(trainee.model),
        state=_copied(
            {
                "optimizer": trainee.optimizer.state_dict(),
                "scheduler": None if trainee.scheduler is None else trainee.scheduler.state_dict(),
                "scaler": trainee.precision.scaler.state_dict(),
                "random_states": random_states,
            }
        ),
        record=json.loads(json.dumps(dataclasses.asdict(progress) | {"format": FORMAT, "identity": dict(identity)})),
        best_weights=best_weights,
        problems=problems,
    )


def fill(folder: Path, snapshot: Snapshot) -> None:
    """Writes the files of a checkpoint into a folder."""
    from safetensors.torch import save_file

    snapshot.model.save(folder, each_head_for_transformers=False)
    with _without_crc():
        torch.save(snapshot.state, folder / _STATE)
    if snapshot.best_weights is not None:
        save_file(snapshot.best_weights, folder / _BEST)
    if snapshot.problems is not None:
        pq.write_table(snapshot.problems, folder / _PROBLEMS)
    (folder / _PROGRESS).write_text(json.dumps(snapshot.record), encoding="utf-8")


def read_position(path: Path | None) -> Position:
    """Where a run begins that goes on from this checkpoint, the start for None; `read_progress` says what is wrong."""
    with contextlib.suppress(CheckpointError):
        if path is not None:
            return _read_record(path)[1].position
    return Position()


def read_progress(path: Path, *, identity: Mapping[str, object]) -> Progress:
    """The progress stored in a checkpoint.

    Raises:
        DamagedCheckpointError: When it cannot be read.
        CheckpointError: When the checkpoint belongs to a run with other data or settings; names what differs.
    """
    stored, progress = _read_record(path)
    _compare(path, stored, identity)
    return progress


def check_fits(address: str, identity: Mapping[str, object]) -> bool:
    """Compares a checkpoint, wherever it lies, with what is known of a run; reads no more of it than that takes.

    Returns:
        False where it cannot be read.

    Raises:
        CheckpointError: When it is of another run or another version of farm_ray.
    """
    try:
        with storage.open_binary(storage.join(address, _PROGRESS)) as file:
            record = parse_json(decoded(file.read(JSON_BYTES)))
    except (FarmRayError, ValueError):
        return False
    if not isinstance(record, dict) or not isinstance(record.get("identity"), dict):
        return False
    if type(record.get("format")) is not int:
        return False
    if record["format"] != FORMAT:
        raise _other_version(address)
    try:
        _compare(address, record["identity"], identity)
    except DamagedCheckpointError:
        return False
    return True


def _other_version(path: str | Path) -> CheckpointError:
    shown_path = storage.redacted(path)
    return CheckpointError(
        f"{shown_path} was written by another version of farm_ray; start again with --resume never",
        code="checkpoint-of-other-version",
        file=shown_path,
    )


def _compare(path: str | Path, stored: Mapping[str, object], identity: Mapping[str, object]) -> None:
    wanted = json.loads(json.dumps(dict(identity)))
    if untold := [name for name in wanted if name in IDENTITY and name not in stored]:
        file = storage.redacted(storage.join(path, _PROGRESS))
        raise DamagedCheckpointError(
            f"{file} is damaged (it does not say what {untold[0]} was); start again with --resume never",
            code="damaged-checkpoint",
            file=file,
        )
    differing = [name for name in wanted if stored.get(name) != wanted[name]]
    if differing:
        differences = [
            f"{name} was {shown(stored.get(name))} and is {shown(wanted[name])}"
            for name in differing[:_MOST_DIFFERENCES]
        ]
        more = f" and {len(differing) - _MOST_DIFFERENCES} more" if len(differing) > _MOST_DIFFERENCES else ""
        raise CheckpointError(
            f"checkpoint {storage.redacted(path)} belongs to another run: {', '.join(differences)}{more}; "
            "set them back, use --resume never, or give another output folder",
            code="checkpoint-of-other-run",
            file=storage.redacted(path),
            differing=differing,
        )


def _read_record(path: Path) -> tuple[dict[str, object], Progress]:
    """What the run was that wrote a checkpoint, and how far it had come."""
    from pydantic import TypeAdapter

    with _explained(path / _PROGRESS):
        record = parse_json(read_text(path / _PROGRESS, JSON_BYTES))
        written_by = record.pop("format")
        if type(written_by) is not int:
            raise ValueError(f"its format is {written_by!r:.40}")
    if written_by != FORMAT:
        raise _other_version(path)
    with _explained(path / _PROGRESS):
        stored = record.pop("identity")
        if not isinstance(stored, dict):
            raise TypeError(f"its identity is {shown(stored)}")
        if record.keys() != {field.name for field in dataclasses.fields(Progress)}:
            raise ValueError(f"it holds {', '.join(sorted(map(shown, record)))}")
        # Of JSON, as strict Python would have tuples where JSON has lists.
        progress = TypeAdapter(Progress).validate_json(json.dumps(record), strict=True)
        _check_counts(dataclasses.asdict(progress))
    return stored, progress


def _check_counts(values: Any) -> None:
    """Raises ValueError for a number that no run counts to."""
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, dict | list | tuple):
            _check_counts(value)
        elif isinstance(value, int) and not 0 <= value < _COUNTS:
            raise ValueError(f"{value} cannot be counted to")


def restore(path: Path, trainee: TrainState) -> dict[str, torch.Tensor] | None:
    """Puts model, optimizer, scheduler, scaler and random states back; returns the best weights, if stored.

    Raises:
        DamagedCheckpointError: When one of them cannot be read or does not fit; some may have been put back then.
    """
    from safetensors.torch import load_file

    from farm_ray.modeling.adaptive_model import AdaptiveModel

    model = trainee.model
    with _explained(path):
        model.load_state_dict(AdaptiveModel.load(path, device=trainee.ranks.device).state_dict())
    file = path / _STATE
    with _explained(file):
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            raise DamagedCheckpointError(
                f"{file} holds more than tensors and plain values, so it is not read: it could run code; "
                "start again with --resume never",
                code="unsafe-checkpoint",
                file=str(file),
            ) from None
        # With fp16 the first steps may have been skipped.
        check_optimizer_state(trainee.optimizer, state["optimizer"], has_stepped=not state["scaler"])
        trainee.optimizer.load_state_dict(state["optimizer"])
        if trainee.scheduler is not None:
            check_scheduler_state(trainee.scheduler, state["scheduler"])
            trainee.scheduler.load_state_dict(state["scheduler"])
        trainee.precision.scaler.load_state_dict(state["scaler"])
        states = state["random_states"]
        # With another number of ranks the old streams have no owner; dropout then draws from fresh ones.
        if len(states) == trainee.ranks.world_size:
            set_random_state(states[trainee.ranks.rank])
    best = path / _BEST
    if not best.is_file():
        return None
    with _explained(best):
        weights = load_file(best)
        _check_fits(model, weights)
    return weights


def _check_fits(model: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Raises ValueError where these are not the weights of the model; they are put in at the end of the run."""
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
    if {name: tensor.shape for name, tensor in weights.items()} != wanted:
        raise ValueError("its tensors are not those of the model")


def restore_early_stopping(path: Path, early_stopping: Stopper, state: PlainDict) -> None:
    """Gives an object that watches the dev results its state back.

    Raises:
        DamagedCheckpointError: When that is no state of it.
    """
    with _explained(path / _PROGRESS):
        cast("ResumableStopper", early_stopping).load_state_dict(state)


def read_problems(path: Path) -> pa.Table | None:
    """The rows that the run had quarantined while training; None for none.

    Raises:
        DamagedCheckpointError: When the file cannot be read, or holds pickled values.
    """
    file = path / _PROBLEMS
    if not file.is_file():
        return None
    with _explained(file):
        names = pickled_columns(pq.read_schema(file))
        if not names:
            return pq.read_table(file)
    raise DamagedCheckpointError(
        f"{file} is not read: its columns {', '.join(names)} could run code", code="unsafe-checkpoint", file=str(file)
    )


@contextlib.contextmanager
def _explained(file: Path) -> Iterator[None]:
    """For whatever is raised by reading what does not hold what it should, behind check sums that fit or not."""

    def tell(why: str) -> CheckpointError:
        return DamagedCheckpointError(
            f"{file} is damaged ({why}); start again with --resume never", code="damaged-checkpoint", file=str(file)
        )

    try:
        with told(tell):
            yield
    except DamagedCheckpointError as error:
        if isinstance(error.__cause__, torch.OutOfMemoryError):
            raise error.__cause__ from None
        raise
    except FarmRayError as error:
        raise DamagedCheckpointError(str(error), code="damaged-checkpoint", **error.facts) from error


def random_state() -> PlainDict:
    """The state of every generator of this process, as tensors and plain values."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002 - the global generator
    version, internal, next_gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [str(name), [int(key) for key in keys], int(position), int(has_gauss), float(gauss)],
        "python": [version, list(internal), next_gauss],
    }


def set_random_state(state: PlainMapping) -> None:
    """Puts every generator of this process where `random_state` found it."""
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), position, has_gauss, gauss))  # noqa: NPY002 - as above
    version, internal, next_gauss = state["python"]
    random.setstate((version, tuple(internal), next_gauss))


@contextlib.contextmanager
def _without_crc() -> Iterator[None]:
    """Torch's own check sums take longer than the writing; ours are taken of every file anyway."""
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        yield
    finally:
        torch.serialization.set_crc32_options(before)


def check(path: Path) -> None:
    """Compares a checkpoint with its check sums.

    Raises:
        DamagedCheckpointError: When it is not whole, or was not written by farm_ray; names the file.
    """
    for name in (_STATE, _PROGRESS, CHECKSUMS):
        if not (path / name).is_file():
            raise DamagedCheckpointError(
                f"{path} is no whole checkpoint: {name} is missing", code="damaged-checkpoint", file=str(path / name)
            )
    try:
        verify_folder(path, full=True, all_of=_SUMMED)
    except ModelFolderError as error:
        raise DamagedCheckpointError(str(error), code="damaged-checkpoint", **error.facts) from None


def digest(path: Path) -> str:
    """Equal for copies of one checkpoint: sha256 of its check sums, 64 hex digits."""
    return hashlib.sha256((path / CHECKSUMS).read_bytes()).hexdigest()


def _on_cpu(model: AdaptiveModel) -> AdaptiveModel:
    """A deep copy whose weights lie in the CPU's memory, tied ones tied, without a second copy on a GPU."""
    copied: dict[int, object] = {}
    for parameter in model.parameters():
        values = parameter.detach().to("cpu", copy=True)
        copied[id(parameter)] = torch.nn.Parameter(values, requires_grad=parameter.requires_grad)
    for buffer in model.buffers():
        copied[id(buffer)] = buffer.detach().to("cpu", copy=True)
    return copy.deepcopy(model, copied)


def _copied(value: object) -> Any:
    """A nested value of dicts, lists and tensors, its tensors copied to the CPU's memory."""
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied(part) for part in value)
    return value

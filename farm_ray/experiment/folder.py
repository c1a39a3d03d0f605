"""The output folder of a run: `experiment.yaml`, `checkpoints/` where any were written, `model/` when it is done.

That of a cross-validation has `cross_validation.json` and `predictions.parquet` in place of a model.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

from farm_ray.configuration import to_saved
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import Experiment, read_experiment, write_experiment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

EXPERIMENT = "experiment.yaml"
MODEL = "model"
CHECKPOINTS = "checkpoints"
PROBLEMS = "problems.parquet"
"""Rows set aside, written by the silo."""
FOLDS = "cross_validation.json"
PREDICTIONS = "predictions.parquet"
_FREE = {
    f"train.{name}"
    for name in (
        "checkpoint_every",
        "checkpoint_every_seconds",
        "checkpoint_root_dir",
        "checkpoints_to_keep",
        "log_loss_every",
        "tracker",
    )
}
"""Fields that a run may change when it goes on."""
_MOST_DIFFERENCES = 3


@contextlib.contextmanager
def output_folder(path: Path, experiment: Experiment) -> Iterator[Path]:
    """The folder, checked and made; when the block fails before anything was saved, it is as it was before.

    Raises:
        ConfigError: When it cannot be written to, or holds another run (the differences are named).
    """
    check_output_folder(path, experiment)
    noted_before = (path / EXPERIMENT).exists()
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        _try_to_write(path)
    except OSError as error:
        _remove_empty(made)
        raise ConfigError(
            f"cannot write to the output folder {path}: {error.strerror}; give another --output-dir", file=str(path)
        ) from None
    try:
        yield path
    except BaseException:
        if not holds_a_run(path):
            if not noted_before:
                (path / EXPERIMENT).unlink(missing_ok=True)
            _remove_empty([path / CHECKPOINTS, *made])
        raise


def check_output_folder(path: Path, experiment: Experiment) -> None:
    """Raises ConfigError when the path is no local folder, or holds a run that is not this one."""
    if ":/" in str(path):
        shown = str(path).replace(":/", "://", 1)
        raise ConfigError(f"the output folder must be on a disk that this machine sees, not {shown}", file=shown)
    if path.exists() and not path.is_dir():
        raise ConfigError(f"the output folder {path} is a file; give another --output-dir", file=str(path))
    if not holds_a_run(path):
        return
    way_out = "give another --output-dir, or remove the folder"
    try:
        other = read_experiment(path / EXPERIMENT)
    except ConfigError as error:
        raise ConfigError(f"the output folder {path} holds another run ({error}); {way_out}", file=str(path)) from None
    if found := differences(other, experiment):
        more = f" and {len(found) - _MOST_DIFFERENCES} more" if len(found) > _MOST_DIFFERENCES else ""
        shown = ", ".join(found[:_MOST_DIFFERENCES]) + more
        raise ConfigError(f"the output folder {path} holds another run ({shown}); {way_out}", file=str(path))


def holds_a_run(path: Path) -> bool:
    """Whether there is a model, a whole checkpoint, or the results of a cross-validation."""
    return (path / MODEL).exists() or (path / FOLDS).exists() or any((path / CHECKPOINTS).glob("epoch_*"))


def note_experiment(path: Path, experiment: Experiment) -> None:
    """Writes down whose folder this is, whole or not at all."""
    aside = path / f".{EXPERIMENT}.{uuid.uuid4().hex[:8]}"
    try:
        write_experiment(experiment, aside)
        aside.replace(path / EXPERIMENT)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise ConfigError(f"cannot write {path / EXPERIMENT}: {error.strerror}", file=str(path)) from None


def differences(there: Experiment, here: Experiment) -> list[str]:
    """`train.epochs is 2 there and 3 here`, for each field that differs and that the run's outcome depends on.

    What an address has of credentials does not count, as it is not saved.
    """
    left, right = _flat(to_saved(there)), _flat(to_saved(here))
    names = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    names = [name for name in names if name not in _FREE]
    return [f"{name} is {left.get(name)!r} there and {right.get(name)!r} here" for name in names]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _try_to_write(path: Path) -> None:
    probe = path / f".write-test-{uuid.uuid4().hex[:8]}"
    try:
        probe.write_bytes(b"x")
    finally:
        probe.unlink(missing_ok=True)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()

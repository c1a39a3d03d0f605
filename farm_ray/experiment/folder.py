"""The output folder of a run: `experiment.yaml`, `checkpoints/` where any were written, `model/` when it is done.

That of a cross-validation has `cross_validation.json` and `predictions.parquet` in place of a model.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm_ray import claims, storage
from farm_ray.configuration import to_saved, to_yaml
from farm_ray.errors import CheckpointError, ConfigError
from farm_ray.experiment.config import Experiment, read_experiment
from farm_ray.foreign import JSON_BYTES, parse_json, read_text
from farm_ray.leftovers import aside_name, remove_leftovers
from farm_ray.storage.writing import remove_empty

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from farm_ray.plain import PlainDict

EXPERIMENT = "experiment.yaml"
MODEL = "model"
CHECKPOINTS = "checkpoints"
NEWEST_CHECKPOINT = "newest_checkpoint.json"
"""Which one was written last, and where: a run does not begin from scratch where that has gone."""
PROBLEMS = "problems.parquet"
"""Rows quarantined, written by the silo."""
TOKENIZER = "tokenizer"
"""Folder of a tokenizer that the run has learnt."""
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
_ABSOLUTE = "give an absolute --output-dir"


@contextlib.contextmanager
def output_folder(path: Path, experiment: Experiment) -> Iterator[OutputFolder]:
    """The folder, checked, made, and held by this run while the block lasts.

    When the block fails before anything was saved, the folder is as it was before; problems that the error names stay.

    Raises:
        ConfigError: When it cannot be written to, holds another run (the differences are named), or is used by a run
            that is alive. Nothing is written then.
    """
    check_output_folder(path, experiment)
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        _make(path)
        with claims.claimed(path, hint="give another --output-dir") as claim:
            # While this run waited, another one may have come and gone.
            check_output_folder(path, experiment)
            target = OutputFolder(path=path, claim=claim, resumes=holds_a_run(path))
            before = {name for name in (EXPERIMENT, PROBLEMS, TOKENIZER) if (path / name).exists()}
            try:
                yield target
            except BaseException as error:
                if not holds_a_run(path):
                    _clear(path, before, error)
                raise
    finally:
        remove_empty(made)


@dataclass(frozen=True, kw_only=True)
class OutputFolder:
    """The folder of a run while that goes."""

    path: Path
    claim: claims.Claim
    resumes: bool
    """Whether an earlier attempt of the run left something to resume, or its results."""

    def accept(self, experiment: Experiment) -> None:
        """Writes down whose folder this is; what earlier attempts left half-written goes."""
        self.claim.check()
        remove_leftovers(self.path)
        note_experiment(self.path, experiment)

    def check_checkpoints(self, root: str) -> None:
        """Finds out whether checkpoints are still there where the run had written some.

        Args:
            root: Where the run keeps them.

        Raises:
            CheckpointError: When there are none any more.
        """
        known = _newest_checkpoint(self.path)
        if known is None or known[0] != storage.redacted(root) or _holds_checkpoints(root):
            return
        raise CheckpointError(
            f"this run has written the checkpoint {known[1]} in {known[0]}, and there is none any more; bring that "
            "folder back, or start again with --resume never",
            code="checkpoints-are-gone",
            file=known[0],
        )

    def note_checkpoint(self, root: str, name: str) -> None:
        """Writes down the newest checkpoint, for a later start to miss it."""
        told = {"folder": storage.redacted(root), "newest": name}
        with storage.open_output(self.path / NEWEST_CHECKPOINT) as out:
            out.write(json.dumps(told).encode())

    @property
    def problems_dir(self) -> Path | None:
        """Where the silo may store problems at once; None where an earlier attempt left its own, which may be right."""
        return None if self.resumes else self.path


def output_path(given: str | Path | None, default: str | Path) -> Path:
    """The folder that was given, or else the default.

    Raises:
        ConfigError: When an empty path was given.
    """
    place = default if given is None else given
    storage.check_lasting(place, hint=_ABSOLUTE)
    return storage.local_path(place)


def check_output_folder(path: Path, experiment: Experiment) -> None:
    """Raises ConfigError when the path is no local folder, or holds a run that is not this one."""
    if ":/" in str(path) or str(path).endswith(":"):
        shown = f"{path}/".replace(":/", "://", 1).removesuffix("/")
        raise ConfigError(
            f"the output folder must be on a disk that this machine sees, not {shown}",
            code="folder-not-local",
            file=shown,
        )
    storage.check_lasting(path, hint=_ABSOLUTE)
    if path.is_symlink() and not path.exists():
        raise ConfigError(
            f"the output folder {path} is a link that leads nowhere; give another --output-dir",
            code="link-leads-nowhere",
            file=str(path),
        )
    if path.exists() and not path.is_dir():
        raise ConfigError(
            f"the output folder {path} is a file; give another --output-dir", code="not-a-folder", file=str(path)
        )
    if not holds_a_run(path):
        return
    hint = "give another --output-dir, or remove the folder"
    try:
        other = read_experiment(path / EXPERIMENT)
    except ConfigError as error:
        raise ConfigError(
            f"the output folder {path} holds another run ({error}); {hint}", code="folder-of-other-run", file=str(path)
        ) from None
    if found := differences(other, experiment):
        more = f" and {len(found) - _MOST_DIFFERENCES} more" if len(found) > _MOST_DIFFERENCES else ""
        shown = ", ".join(list(found.values())[:_MOST_DIFFERENCES]) + more
        raise ConfigError(
            f"the output folder {path} holds another run ({shown}); {hint}",
            code="folder-of-other-run",
            differing=list(found),
            file=str(path),
        )


def holds_a_run(path: Path) -> bool:
    """Whether there is a model, the results of a cross-validation, or a checkpoint, wherever the run keeps those."""
    if (path / MODEL).exists() or (path / FOLDS).exists() or any((path / CHECKPOINTS).glob("epoch_*")):
        return True
    try:
        elsewhere = read_experiment(path / EXPERIMENT).train.checkpoint_root_dir
    except ConfigError:
        return False
    return elsewhere is not None and _holds_checkpoints(elsewhere)


def _newest_checkpoint(path: Path) -> tuple[str, str] | None:
    """Folder and name of the newest checkpoint that this run has written; None where it says nothing of any."""
    try:
        told = parse_json(read_text(path / NEWEST_CHECKPOINT, JSON_BYTES))
        return str(told["folder"]), str(told["newest"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _holds_checkpoints(root: str) -> bool:
    from farm_ray.train.checkpoint_store import CheckpointStore

    try:
        return bool(CheckpointStore(root).names())
    except CheckpointError:
        # Credentials of an address are not saved. What cannot be looked at is not written over.
        return True


def note_experiment(path: Path, experiment: Experiment) -> None:
    """Writes down whose folder this is, whole or not at all."""
    with storage.open_output(path / EXPERIMENT) as out:
        out.write(to_yaml(experiment).encode())


def differences(there: Experiment, here: Experiment) -> dict[str, str]:
    """The name of each field that differs and that the run's outcome depends on: `train.epochs is 2 there and 3 here`.

    What an address has of credentials does not count, as it is not saved.
    """
    left, right = _flat(to_saved(there)), _flat(to_saved(here))
    names = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    names = [name for name in names if name not in _FREE]
    return {name: f"{name} is {left.get(name)!r} there and {right.get(name)!r} here" for name in names}


def _flat(values: Mapping[str, object], prefix: str = "") -> PlainDict:
    flat: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _make(path: Path) -> None:
    """Makes the folder and finds out whether it can be written to."""
    probe = path / aside_name("write-test")
    try:
        path.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(b"x")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot write to the output folder {path}: {error.strerror}; give another --output-dir",
            code="cannot-write",
            file=str(path),
        ) from None


def _clear(path: Path, before: Collection[str], error: BaseException) -> None:
    """Removes what a failed attempt wrote; the problems stay where the error names their file."""
    if TOKENIZER not in before:
        shutil.rmtree(path / TOKENIZER, ignore_errors=True)
    if EXPERIMENT not in before:
        (path / EXPERIMENT).unlink(missing_ok=True)
    if PROBLEMS not in before and str(path / PROBLEMS) not in str(error):
        (path / PROBLEMS).unlink(missing_ok=True)
    remove_empty([path / CHECKPOINTS])

"""Where checkpoints lie: below a folder or an s3:// prefix, each atomic, the newest kept.

In an object store nothing can be renamed; there a checkpoint counts as written when its checksums are, which come last
and go first.
"""

from __future__ import annotations

import re
import shutil
import socket
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from farm_ray import claims, storage
from farm_ray.artifacts import CHECKSUMS, publish_folder
from farm_ray.errors import CheckpointError, ConfigError, DataProblemError
from farm_ray.leftovers import remove_leftovers
from farm_ray.storage.scratch import scratch_folder
from farm_ray.train import checkpoint
from farm_ray.train.checkpoint import DamagedCheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_NAME = re.compile(r"epoch_(\d+)_step_(\d+)")


@dataclass(frozen=True)
class CheckpointStore:
    """The checkpoints of a run.

    Args:
        root: A folder, which all machines of the run must see, or an s3:// prefix.
        claim: The run's name in its claim on the root; None writes without asking who holds it.
    """

    root: str
    claim: str | None = field(default=None, compare=False)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on a disk."""
        return storage.is_local(self.root)

    def address(self, name: str) -> str:
        """Of a checkpoint, for a message or `--resume`."""
        return storage.join(self.root, name)

    def names(self) -> list[str]:
        """The checkpoints there are, oldest first; not looked into.

        Raises:
            CheckpointError: When the place cannot be looked at.
        """
        try:
            found = [match for name in storage.folder_names(self.root) if (match := _NAME.fullmatch(name))]
        except (ConfigError, DataProblemError) as error:
            raise CheckpointError(
                f"cannot look for checkpoints: {error}", code="cannot-read-checkpoint", **error.facts
            ) from None
        return sorted((match[0] for match in found), key=_number)

    def publish(self, name: str, write: Callable[[Path], None]) -> str:
        """Lets `write` fill a folder and makes it a checkpoint; returns its address.

        Raises:
            ConfigError: When it cannot be written; what was there before is still there, or, in an object store, no
                longer counts as a checkpoint.
        """
        self.check_claim()
        if self.is_local:
            return str(publish_folder(self.folder / name, write))
        with scratch_folder("checkpoint") as aside:
            folder = publish_folder(aside / name, write)
            storage.remove_folder(self.address(name), first=[CHECKSUMS])
            storage.upload_folder(folder, self.address(name), last=[CHECKSUMS])
        return self.address(name)

    def check_claim(self) -> None:
        """Raises ConfigError when another run has taken the root over."""
        if self.claim is not None:
            claims.check(self.address(claims.FILE), self.claim, folder=storage.redacted(self.root))

    def keep_only(self, newest: int, *, up_to: str) -> None:
        """Removes all checkpoints but the `newest` ones that end with `up_to`, and what killed writers left.

        Later ones are of a run that was given up: by `never`, or by going on from an earlier checkpoint.
        """
        self.check_claim()
        everything = self.names()
        after = everything.index(up_to) + 1
        for old in everything[:after][:-newest] + everything[after:]:
            self._remove(old)
        self.tidy()

    def remove_all_but(self, *, up_to: str | None) -> None:
        """Removes all checkpoints but those that end with `up_to`; None removes all."""
        for name in self.names():
            if up_to is None or _number(name) > _number(up_to):
                self._remove(name)

    def tidy(self) -> None:
        """Removes what writers left that were killed; of an object store the next writer overwrites it."""
        if self.is_local:
            remove_leftovers(self.folder)

    def fetch(self, name: str, scratch: Path) -> Path:
        """A checkpoint as a folder of this machine: the one it lies in, or a copy below `scratch`, made once.

        Raises:
            CheckpointError: When it cannot be read.
        """
        if self.is_local:
            if not (self.folder / name).is_dir():
                raise self._not_seen(name)
            return self.folder / name
        copy = scratch / name
        if copy.is_dir():
            return copy
        partial = scratch / f".{name}"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            storage.download_folder(self.address(name), partial)
        except (ConfigError, DataProblemError) as error:
            raise CheckpointError(
                f"cannot read a checkpoint: {error}", code="cannot-read-checkpoint", **error.facts
            ) from None
        return partial.rename(copy)

    def newest_whole(self, scratch: Path, *, before: str | None = None, at_least: str | None = None) -> str | None:
        """The name of the newest checkpoint that is as it was written; damaged ones are skipped with a warning.

        Args:
            scratch: As for `fetch`.
            before: Only checkpoints before this one count.
            at_least: A checkpoint that must be here, whole or not, or a newer one.

        Returns:
            None where nothing was ever written.

        Raises:
            CheckpointError: When `at_least` is not here, or none of those that are here is whole: what has checkpoints
                is not begun again unasked.
        """
        names = self.names()
        if at_least is not None and not any(_number(name) >= _number(at_least) for name in names):
            # The list of a network disk may be an old one.
            if not (self.is_local and (self.folder / at_least).is_dir()):
                raise self._not_seen(at_least)
            names.append(at_least)
        candidates = [name for name in names if before is None or _number(name) < _number(before)]
        written = before is not None
        for name in reversed(candidates):
            path = self.fetch(name, scratch)
            try:
                checkpoint.check(path)
            except DamagedCheckpointError as error:
                # An interrupted upload is no checkpoint yet.
                written = written or self.is_local or (path / CHECKSUMS).is_file()
                warnings.warn(f"skipping a checkpoint: {error}", stacklevel=2)
            else:
                return name
        if not written:
            return None
        raise CheckpointError(
            f"none of the checkpoints in {storage.redacted(self.root)} ({', '.join(names)}) is whole; "
            "start again with --resume never",
            code="no-whole-checkpoint",
            file=storage.redacted(self.root),
        )

    @property
    def folder(self) -> Path:
        """Of a local store."""
        return storage.local_path(self.root)

    def _not_seen(self, name: str) -> CheckpointError:
        return CheckpointError(
            f"this machine ({socket.gethostname()}) does not see {storage.redacted(self.address(name))}; give the "
            "checkpoints a folder that all machines of the run see (train.checkpoint_root_dir), or an s3:// prefix",
            code="checkpoint-not-seen",
            file=storage.redacted(self.address(name)),
        )

    def _remove(self, name: str) -> None:
        if self.is_local:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        else:
            storage.remove_folder(self.address(name), first=[CHECKSUMS])


def _number(name: str) -> tuple[int, int]:
    """Epoch and step of a checkpoint's name, in which checkpoints are ordered."""
    match = _NAME.fullmatch(name)
    assert match is not None
    return int(match[1]), int(match[2])


@dataclass(frozen=True)
class Found:
    """A checkpoint to go on from."""

    store: CheckpointStore
    name: str

    def __str__(self) -> str:
        return self.store.address(self.name)


def find(resume: str, root: str | None, scratch: Path, *, at_least: str | None = None) -> Found | None:
    """The checkpoint to resume from: the newest whole one for `auto`, none for `never`, else the one named.

    Args:
        resume: `auto`, `never`, the name of a checkpoint below `root`, or the address of one.
        root: Of the run's own checkpoints; None for a run that has none.
        scratch: Folder for copies of checkpoints that do not lie on a disk.
        at_least: With `auto`, the name of a checkpoint that this run has written.

    Raises:
        CheckpointError: When a named checkpoint is missing or damaged, or of the run's own none is whole. Damaged ones
            are skipped with a warning by `auto`.
    """
    if resume == "never" or (resume == "auto" and root is None):
        return None
    if resume == "auto":
        store = CheckpointStore(str(root))
        newest = store.newest_whole(scratch, at_least=at_least)
        return None if newest is None else Found(store, newest)
    return _named(resume, root, scratch)


def before(found: Found, scratch: Path) -> Found:
    """The newest whole checkpoint before this one, in the same place.

    Raises:
        CheckpointError: When there is none.
    """
    name = found.store.newest_whole(scratch, before=found.name)
    assert name is not None
    return Found(found.store, name)


def check_fits(resume: str, root: str | None, identity: Mapping[str, object]) -> None:
    """Finds out from the newest checkpoint that can be read whether a run may resume here; reads little of it.

    Args:
        resume: As for `find`.
        root: As for `find`.
        identity: As far as it is known.

    Raises:
        CheckpointError: When the checkpoint belongs to another run; names what differs.
    """
    if resume == "never" or (resume == "auto" and root is None):
        return
    addresses = [resume] if resume != "auto" else []
    if root is not None:
        store = CheckpointStore(root)
        addresses += [store.address(name) for name in ([resume] if addresses else reversed(store.names()))]
    for address in addresses:
        if checkpoint.check_fits(address, identity):
            return


def check_named(resume: str, root: str | None) -> None:
    """Finds out whether a checkpoint that is asked for by name is there and whole; `auto` and `never` name none.

    Raises:
        CheckpointError: As `find`.
    """
    if resume not in {"auto", "never"}:
        with scratch_folder("resume") as scratch:
            find(resume, root, scratch)


def _named(resume: str, root: str | None, scratch: Path) -> Found:
    # Behind the ? of an s3:// address stand options, which belong to the place and not to the name.
    address, sign, options = resume.partition("?") if not storage.is_local(resume) else (resume, "", "")
    parent, _, name = address.rstrip("/").rpartition("/")
    own = [CheckpointStore(str(root))] if root is not None else []
    # An absolute path of one folder has nothing before its slash.
    elsewhere = CheckpointStore((parent or ("/" if resume.startswith("/") else ".")) + sign + options)
    candidates = [Found(elsewhere, name)] + ([Found(store, name) for store in own] if not parent else [])
    for found in candidates:
        if name in storage.folder_names(found.store.root):
            checkpoint.check(found.store.fetch(name, scratch))
            return found
    there = ", ".join(own[0].names()) if own else ""
    shown = storage.redacted(resume)
    known = f"; there are: {there}" if there else "; give auto, latest, never, or the folder of a checkpoint"
    raise CheckpointError(f"no checkpoint at {shown}{known}", code="no-such-checkpoint", file=shown)

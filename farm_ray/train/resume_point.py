"""The checkpoint that a run resumes from: the same one on all ranks, and the one before where it turns out damaged."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm_ray.errors import CheckpointError
from farm_ray.train import checkpoint, checkpoint_store

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.ranks import Ranks
    from farm_ray.train.checkpoint_store import Found
    from farm_ray.train.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A checkpoint, and the folder of this machine where it lies."""

    found: Found
    path: Path


def find(settings: TrainSettings, ranks: Ranks, scratch: Path, *, written: str | None) -> ResumePoint | None:
    """Where the run resumes; None where it begins. Every rank must call it.

    Args:
        settings: Say which checkpoint, and where they lie.
        ranks: Rank 0 looks, the others fetch what it found.
        scratch: Folder for copies of checkpoints that do not lie on a disk.
        written: Name of the newest checkpoint that an earlier attempt has written or resumed from.

    Raises:
        CheckpointError: On all ranks, as `checkpoint_store.find`, or when one of them does not see the checkpoint, or
            sees another one under its name.
    """
    root = settings.checkpoint_root_dir
    look = functools.partial(checkpoint_store.find, settings.resume, root, scratch, at_least=written)
    found = ranks.done_by_first(look)
    return None if found is None else _fetched(found, ranks, scratch)


def before(point: ResumePoint, ranks: Ranks, scratch: Path) -> ResumePoint:
    """The newest whole checkpoint before this one, in the same place. Every rank must call it.

    Raises:
        CheckpointError: When there is none, or as `find`.
    """
    look = functools.partial(checkpoint_store.before, point.found, scratch)
    return _fetched(ranks.done_by_first(look), ranks, scratch)


def _fetched(found: Found, ranks: Ranks, scratch: Path) -> ResumePoint:
    path, digest, error = scratch, None, None
    try:
        path = found.store.fetch(found.name, scratch)
        if not (ranks.is_first or found.store.is_local):
            # A copy of this rank's own.
            checkpoint.check(path)
        digest = checkpoint.digest(path)
    except CheckpointError as raised:
        error = raised
    everywhere = ranks.gather((digest, error))
    for _, told in everywhere:
        if told is not None:
            raise told
    if len({digest for digest, _ in everywhere}) > 1:
        raise CheckpointError(
            f"the machines of this run see different checkpoints at {found}; give the checkpoints a folder that all of "
            "them see (train.checkpoint_root_dir), or an s3:// prefix",
            code="checkpoint-not-seen",
            file=str(found),
        )
    return ResumePoint(found, path)

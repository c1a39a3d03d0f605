"""Writes checkpoints while the training goes on: one at a time, in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

from farm_ray import storage
from farm_ray.errors import FarmRayError
from farm_ray.storage.scratch import scratch_folder
from farm_ray.train import checkpoint
from farm_ray.train.step_log import FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from farm_ray.train.checkpoint import Snapshot
    from farm_ray.train.checkpoint_store import CheckpointStore
    from farm_ray.train.step_log import StepLog


class CheckpointWriter:
    """Writes snapshots to a store, in the order in which they come.

    What goes wrong is raised by the next `write` or by `finish`: a run whose checkpoints cannot be written ends.

    Args:
        store: Where to.
        keep: How many checkpoints stay.
        step_log: Its rows go beside the checkpoints.
        resumed_from: Name of the checkpoint in this store that the run has resumed from; all others but those before
            it go with the first one that is written, as nothing may resume from them any more.
        on_written: Hears the address of each checkpoint once it is whole.
    """

    def __init__(
        self,
        store: CheckpointStore,
        *,
        keep: int,
        step_log: StepLog,
        resumed_from: str | None,
        on_written: Callable[[str], None],
    ) -> None:
        self._store, self._keep, self._on_written = store, keep, on_written
        self._given_up = True
        """Whether the store may hold checkpoints of a run that was given up."""
        self._resumed_from = resumed_from
        self._step_log = step_log
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._spool: Path | None = None
        """Of an object store, where the step log lies before it is sent."""

    def write(self, snapshot: Snapshot, *, steps: int) -> None:
        """Begins to write; waits first for the one before.

        Args:
            snapshot: Is not changed any more by who gives it.
            steps: Rows of the step log that belong to it.

        Raises:
            ConfigError: When the one before could not be written.
        """
        self.finish()
        self._thread = threading.Thread(
            target=self._run, args=(snapshot, steps), name="farm_ray-checkpoint", daemon=True
        )
        self._thread.start()

    def finish(self) -> None:
        """Waits until all is written.

        Raises:
            ConfigError: When it could not be.
        """
        self.wait()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def wait(self) -> None:
        """Waits until all is written, or has failed."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, snapshot: Snapshot, steps: int) -> None:
        try:
            self._store.check_claim()
            self._store_steps(steps)
            address = self._store.publish(snapshot.name, lambda folder: self._fill(folder, snapshot))
            self._on_written(address)
            self._store.keep_only(self._keep, up_to=snapshot.name)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that trains
            self._error = error
            with contextlib.suppress(FarmRayError):
                self._remove_steps_of_nothing()

    def _remove_steps_of_nothing(self) -> None:
        """Without a checkpoint nobody asks for the steps."""
        self._store.check_claim()
        if not self._store.names():
            storage.remove(self._store.address(FILE))

    def _fill(self, folder: Path, snapshot: Snapshot) -> None:
        checkpoint.fill(folder, snapshot)
        if self._given_up:
            # At the last moment: a run that is started again must find either them or what takes their place.
            self._store.remove_all_but(up_to=self._resumed_from)
            self._given_up = False

    def _store_steps(self, steps: int) -> None:
        if self._store.is_local:
            self._step_log.store(self._store.folder, steps=steps)
            return
        if self._spool is None:
            opened = contextlib.ExitStack()
            self._spool = opened.enter_context(scratch_folder("steps"))
            weakref.finalize(self, opened.close)
        spool = self._spool
        self._step_log.store(spool, steps=steps)
        storage.upload_folder(spool, self._store.root, last=[FILE])

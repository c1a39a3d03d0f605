"""Whether all machines of a run see the folder of its checkpoints: the driver leaves a file there, every rank looks."""

from __future__ import annotations

import contextlib
import socket
import time
import uuid
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from farm_ray.ranks import Ranks

_SECONDS_TO_APPEAR = 10.0
"""Network file systems show other machines' files a little later."""
_SECONDS_BETWEEN_LOOKS = 0.2


@contextlib.contextmanager
def sign_in(folder: Path) -> Iterator[Path]:
    """A small file in this folder, as long as the block lasts; the folder is made, and removed when nothing came in.

    Raises:
        ConfigError: When it cannot be written.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    sign = folder / f".seen-by-all-{uuid.uuid4().hex[:12]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sign.write_text(socket.gethostname(), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write checkpoints to {folder}: {error.strerror}", file=str(folder)) from None
    try:
        yield sign
    finally:
        sign.unlink(missing_ok=True)
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()


def refuse_unseen(sign: Path, ranks: Ranks) -> None:
    """Ends the run on all ranks where one of them does not see the driver's file.

    Raises:
        ConfigError: Names the machines.
    """
    found = ranks.gather((socket.gethostname(), _appears(sign)))
    blind = sorted({host for host, seen in found if not seen})
    if blind:
        raise ConfigError(
            f"the folder of the checkpoints, {sign.parent}, is not the same on all machines of the run: "
            f"{', '.join(blind)} cannot see what the driver wrote there; give train.checkpoint_root_dir a folder that "
            "all of them share, or an s3:// prefix",
            file=str(sign.parent),
        )


def _appears(sign: Path) -> bool:
    deadline = time.monotonic() + _SECONDS_TO_APPEAR
    while not sign.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return True

"""Whether all machines of a run see the folder of its checkpoints: the driver's claim lies there, every rank looks."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from farm_ray import claims, storage
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from farm_ray.ranks import Ranks

_SECONDS_TO_APPEAR = 10.0
"""Network file systems show other machines' files a little later."""
_SECONDS_BETWEEN_LOOKS = 0.2


def refuse_unseen(folder: str, claim: str, ranks: Ranks) -> None:
    """Ends the run on all ranks where one of them does not see the claim that the driver holds on the folder.

    Args:
        folder: Of the checkpoints, on a disk.
        claim: The run's name in its claim.
        ranks: All of them must call it.

    Raises:
        ConfigError: Names the machines.
    """
    found = ranks.gather((socket.gethostname(), _is_seen(storage.join(folder, claims.FILE), claim)))
    blind = sorted({host for host, seen in found if not seen})
    if blind:
        raise ConfigError(
            f"the folder of the checkpoints, {folder}, is not the same on all machines of the run: {', '.join(blind)} "
            "cannot see what the driver wrote there; give train.checkpoint_root_dir a folder that all of them share, "
            "or an s3:// prefix",
            code="folder-not-shared",
            value=blind,
            file=folder,
        )


def _is_seen(file: str, claim: str) -> bool:
    deadline = time.monotonic() + _SECONDS_TO_APPEAR
    while not claims.is_held(file, claim):
        if time.monotonic() > deadline:
            return False
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return True

"""Copies an encoder's weights into a transformers model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def copy_encoder(ours: nn.Module, theirs: nn.Module) -> None:
    """All weights but those of a pooler that only one side has; where it counts, it is copied with the pooling."""
    weights = ours.state_dict()
    wanted = theirs.state_dict().keys()
    report = theirs.load_state_dict({name: weights[name] for name in wanted & weights.keys()}, strict=False)
    assert all(name.startswith("pooler.") for name in report.missing_keys), report.missing_keys

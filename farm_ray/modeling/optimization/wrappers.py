"""Wrappers for several devices that still look like the model they hold."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel


class _PassesAttributes(nn.Module):
    """Attributes that the wrapper has not are those of the wrapped module."""

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "module":  # not set up yet, as while unpickling
                raise
        return getattr(super().__getattr__("module"), name)


class WrappedDataParallel(_PassesAttributes, DataParallel[nn.Module]):
    """torch's DataParallel whose unknown attributes are those of the wrapped module."""


class WrappedDDP(_PassesAttributes, DistributedDataParallel):
    """torch's DistributedDataParallel whose unknown attributes are those of the wrapped module."""

"""Where the weights of an encoder stand: in the embeddings, in one of its layers, or above them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ABOVE = ("pooler", "final", "norm", "ln_f")
"""How the parts of an encoder are named that come after its layers."""


def find_layers(model: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """Path and modules of the encoder's layers: the outermost list of modules.

    Raises:
        ConfigError: When there is no such list.
    """
    for path, module in model.named_modules():
        if isinstance(module, nn.ModuleList):
            return path, module
    raise ConfigError(
        f"{model.config.model_type} has no list of layers; freeze() without a number works",
        code="model-without-layers",
        value=model.config.model_type,
    )


def depths(model: PreTrainedModel) -> dict[str, int]:
    """The depth of each weight, by name: 0 before the layers, 1 for the first of n layers, n + 1 after the last.

    What several layers share, such as relative positions, counts as standing before them.

    Raises:
        ConfigError: When the encoder has no list of layers.
    """
    path, layers = find_layers(model)
    return {name: _depth(name, path, len(layers)) for name, _ in model.named_parameters()}


def _depth(name: str, path: str, layers: int) -> int:
    if name.startswith(f"{path}."):
        return int(name[len(path) + 1 :].partition(".")[0]) + 1
    return layers + 1 if name.startswith(_ABOVE) else 0

"""Builds a transformers model around an encoder of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from farm_ray.modeling.language_model.quiet import quiet_transformers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from torch import Tensor
    from transformers import PreTrainedModel


def around_encoder(
    build: Callable[[], PreTrainedModel], encoder: PreTrainedModel, head: Mapping[str, Tensor], *, shared: bool = False
) -> PreTrainedModel:
    """A transformers model with the weights of this encoder and this head, in eval mode.

    Args:
        build: Makes the model with fresh weights.
        encoder: The encoder. A pooler that only one side has is left as it is; where it counts, it is in `head`.
        head: Every other weight but those that are tied to these, by its name in the model.
        shared: Take hold of the tensors instead of copying them: for saving only, as what is not saved is not there.
    """
    # Without memory nothing is drawn; and a checkpoint is written while another thread draws, which a fork would undo.
    apart: AbstractContextManager[object] = torch.device("meta") if shared else torch.random.fork_rng(devices=[])
    with quiet_transformers(), apart:
        model = build()
    prefix = f"{model.base_model_prefix}."
    wanted = model.state_dict().keys()
    weights = {f"{prefix}{name}": weight for name, weight in encoder.state_dict().items()} | dict(head)
    state = {name: weight for name, weight in weights.items() if name in wanted}
    report = model.load_state_dict(state, strict=False, assign=shared)
    if shared:
        model.tie_weights()
    lacking = [name for name in report.missing_keys if name not in model.all_tied_weights_keys]
    assert set(head) <= set(state), sorted(set(head) - set(state))
    assert all(name.startswith(f"{prefix}pooler.") for name in lacking), lacking
    return model.eval()

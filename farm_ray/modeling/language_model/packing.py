"""Several texts in one row, each seeing itself alone: what an encoder is told then.

Shapes: B rows in the batch, T tokens of the longest row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from farm_ray.plain import PlainDict

PACKS = ("albert", "bert", "big_bird", "camembert", "distilbert", "electra", "modernbert", "roberta", "xlm-roberta")
"""Model types that take a mask per pair of tokens and a position per token."""

_PER_PAIR = 3
"""Dimensions of a mask [B, T, T]."""
_ATTENTIONS = ("sdpa", "eager")
"""transformers' attentions that take any mask."""


def is_packed(padding_mask: Tensor | None) -> bool:
    """Whether the mask is for each pair of tokens, [B, T, T], and not only of each token, [B, T]."""
    return padding_mask is not None and padding_mask.dim() == _PER_PAIR


def of_tokens(padding_mask: Tensor | None) -> Tensor | None:
    """The mask [B, T]; of packed rows the tokens of the first text, for a row's vector is that of its first text."""
    assert padding_mask is None or padding_mask.dim() <= _PER_PAIR
    return padding_mask[:, 0] if padding_mask is not None and is_packed(padding_mask) else padding_mask


def can_pack(model: PreTrainedModel) -> bool:
    """Whether the encoder gives each of several texts in one row the vectors it has by itself."""
    config: Any = model.config
    sparse = getattr(model, "attention_type", None) == "block_sparse"
    return config.model_type in PACKS and config._attn_implementation in _ATTENTIONS and not sparse  # noqa: SLF001


def attention_inputs(model: PreTrainedModel, padding_mask: Tensor | None, position_ids: Tensor | None) -> PlainDict:
    """The encoder's arguments for a mask [B, T] or [B, T, T] and positions [B, T], counted from 0 in each text.

    Raises:
        ConfigError: When the encoder cannot keep several texts in one row apart.
    """
    if (is_packed(padding_mask) or position_ids is not None) and not can_pack(model):
        raise ConfigError(
            f"a {model.config.model_type} model cannot keep several texts in one row apart; make the rows with "
            "packing=False",
            code="packed-rows",
            value=model.config.model_type,
        )
    inputs: dict[str, object] = {}
    if padding_mask is not None:
        inputs["attention_mask"] = _per_pair(model, padding_mask) if is_packed(padding_mask) else padding_mask.long()
    if position_ids is not None:
        inputs["position_ids"] = position_ids + first_position(model)
    return inputs


def position_embeddings(model: PreTrainedModel) -> nn.Embedding | None:
    """The embeddings of absolute positions, where the encoder has any."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return module
    return None


def first_position(model: PreTrainedModel) -> int:
    """The position of a text's first token: RoBERTa's positions start behind its padding index."""
    embeddings = position_embeddings(model)
    return 0 if embeddings is None or embeddings.padding_idx is None else embeddings.padding_idx + 1


def _per_pair(model: PreTrainedModel, padding_mask: Tensor) -> object:
    """The mask in the form that transformers hands to its attention as it is."""
    config: Any = model.config
    seen_B1TT = padding_mask.bool().unsqueeze(1)
    if config.model_type != "modernbert":
        return _for_attention(model, seen_B1TT)
    positions_T = torch.arange(seen_B1TT.shape[-1], device=seen_B1TT.device)
    near_TT = (positions_T.unsqueeze(0) - positions_T.unsqueeze(1)).abs() <= config.sliding_window
    return {
        "full_attention": _for_attention(model, seen_B1TT),
        "sliding_attention": _for_attention(model, seen_B1TT & near_TT),
    }


def _for_attention(model: PreTrainedModel, seen: Tensor) -> Tensor:
    """True where a token sees another; for plain attention what is added to its scores."""
    if model.config._attn_implementation == "sdpa":  # noqa: SLF001 - the name that decides which form is read
        return seen
    scores = torch.zeros(seen.shape, dtype=model.dtype, device=seen.device)
    return scores.masked_fill(~seen, torch.finfo(model.dtype).min)

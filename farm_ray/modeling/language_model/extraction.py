"""Embeddings: the vectors of a row's tokens, or one vector made of them, out of any layer of a language model.

Shapes: B rows in the batch, T tokens of the longest row, H width of the encoder.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch

from farm_ray.configuration import Config, build, nearest
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from farm_ray.modeling.language_model.base import LanguageModel

STRATEGIES = ("pooled", "per_token", "cls_token", "reduce_mean", "reduce_max")
LAST_LAYER = -1

Vector = npt.NDArray[np.float32]


class Extraction(Config):
    """Which vectors are taken; see `checked_extraction`."""

    strategy: Literal["pooled", "per_token", "cls_token", "reduce_mean", "reduce_max"] = "cls_token"
    """pooled: what classifiers read; per_token: the vector of every token, special tokens included; cls_token: that
    of the class token; reduce_mean and reduce_max: mean or maximum over the tokens. Padding is never among them."""
    layer: int = LAST_LAYER
    """0: the embeddings; 1 and more: the layers of the encoder; -1: the last one, -2 the one before."""
    ignore_first_token: bool = True
    """reduce_mean and reduce_max leave the class token out."""
    class_token_last: bool = False
    """The class token is a row's last one, not its first (XLNet)."""


class PooledLayerError(ConfigError, ValueError):
    """The pooled vector of a layer that is not the last one; a ValueError, as in FARM."""


def checked_extraction(
    language_model: LanguageModel, extraction: Extraction | None = None, **changes: object
) -> Extraction:
    """The extraction with these changes, once this language model can do it.

    Raises:
        PooledLayerError: When another layer than the last one is to be pooled.
        ConfigError: On an unknown strategy, a layer the model does not have, or a pooling that was never trained.
    """
    strategy = changes.get("strategy")
    if strategy == "s3e":
        raise ConfigError(
            f'extraction_strategy="s3e" is not available yet in this version; there are {", ".join(STRATEGIES)}',
            code="not-available-yet",
            option="extraction_strategy",
            value=strategy,
        )
    if strategy is not None and strategy not in STRATEGIES:
        raise ConfigError(
            f'unknown extraction_strategy "{strategy}"{nearest(str(strategy), STRATEGIES)}',
            code="invalid-value",
            option="extraction_strategy",
            value=strategy,
        )
    given = {name: value for name, value in changes.items() if value is not None}
    how = build(Extraction, {**(extraction or Extraction()).model_dump(), **given}, where="extraction")
    layers = language_model.num_layers
    if not -layers - 1 <= how.layer <= layers:
        raise ConfigError(
            f"extraction_layer={how.layer}, but the model has the layers 0 (embeddings) to {layers}, from the end "
            f"-1 to {-layers - 1}",
            code="invalid-value",
            option="extraction_layer",
            value=how.layer,
        )
    if how.strategy == "pooled":
        _check_pooled(language_model, how.layer)
    return how


def vector_extractor(language_model: LanguageModel, how: Extraction) -> Callable[..., list[Vector]]:
    """A function that takes a batch and gives one array per row: [H], with `per_token` [tokens of the row, H].

    The batch is input_ids, padding_mask and maybe segment_ids, [B, T], as keyword arguments; others are ignored.

    Args:
        language_model: In eval mode, on the device of the batches; it is not touched.
        how: From `checked_extraction`.
    """
    if how.layer not in {LAST_LAYER, language_model.num_layers}:
        language_model = language_model.sharing_copy()
    return partial(_row_vectors, language_model, how)


def _row_vectors(language_model: LanguageModel, how: Extraction, **batch: Tensor) -> list[Vector]:
    if how.strategy == "pooled":
        return list(_array(language_model(**batch)[1]))
    vectors_BTH = language_model.token_vectors(layer=how.layer, **batch).float()
    real_BT = batch["padding_mask"].bool()
    if how.strategy == "per_token":
        ends_B = _array(real_BT.sum(dim=1)).astype(np.int64).cumsum()
        return np.split(_array(vectors_BTH[real_BT]), ends_B[:-1])
    class_BT = _class_tokens(real_BT, last=how.class_token_last)
    if how.strategy == "cls_token":
        return list(_array(vectors_BTH[class_BT]))
    counted_BT = _without(class_BT, real_BT) if how.ignore_first_token else real_BT
    ignored_BT1 = ~counted_BT.unsqueeze(-1)
    if how.strategy == "reduce_max":
        return list(_array(vectors_BTH.masked_fill(ignored_BT1, float("-inf")).amax(dim=1)))
    sums_BH = vectors_BTH.masked_fill(ignored_BT1, 0).sum(dim=1)
    return list(_array(sums_BH / counted_BT.sum(dim=1, keepdim=True)))


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return tensor.detach().float().cpu().numpy()


def _check_pooled(language_model: LanguageModel, layer: int) -> None:
    if layer != LAST_LAYER:
        raise PooledLayerError(
            f'extraction_strategy="pooled" reads the last layer only (extraction_layer=-1, not {layer}); for another '
            "layer take cls_token, reduce_mean or reduce_max",
            code="pooled-reads-last-layer",
            option="extraction_layer",
            value=layer,
        )
    if not language_model.pooling_is_trained:
        raise ConfigError(
            f'extraction_strategy="pooled": {language_model.name or "the model"} brings no weights for its pooling, so '
            "the vectors would be random; take cls_token or reduce_mean",
            code="no-trained-pooling",
            option="extraction_strategy",
            value="pooled",
        )


def _class_tokens(real_BT: Tensor, *, last: bool) -> Tensor:
    """True at one token per row: the first real one, or the last."""
    nth_BT = real_BT.long().cumsum(dim=1)
    wanted_B1 = nth_BT[:, -1:] if last else torch.ones_like(nth_BT[:, -1:])
    return real_BT & (nth_BT == wanted_B1)


def _without(class_BT: Tensor, real_BT: Tensor) -> Tensor:
    """The real tokens but the class token; a row's only token stays."""
    others_BT = real_BT & ~class_BT
    return others_BT | (real_BT & ~others_BT.any(dim=1, keepdim=True))

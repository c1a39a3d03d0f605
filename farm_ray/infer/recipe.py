"""What predictions are made of: those of an earlier run are kept only where nothing of this has changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch

import farm_ray
from farm_ray import storage
from farm_ray.modeling.describe import settings_bytes
from farm_ray.parts import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.data_silo.split_groups import SplitRows
    from farm_ray.infer.predictor import Predictor
    from farm_ray.modeling.adaptive_model import AdaptiveModel

_TOLD = ("max_seq_len", "text_column_name", "text_b_column_name", "delimiter", "quote_char")
"""Settings of a processor that a message names when they change."""
_DIGITS = 12


def prediction_recipe(
    predictor: Predictor, source: SplitRows, states: Sequence[storage.FileState], **settings: object
) -> Recipe:
    """The recipe of a prediction file. What changes only the speed (batch size, device, actors) is no part of it.

    Args:
        predictor: Makes the answers.
        source: The rows.
        states: Of the source's files.
        settings: More that shapes the answers.
    """
    reader = source.processor
    told = {name: getattr(reader, name) for name in _TOLD if hasattr(reader, name)}
    processors = predictor.processor.fingerprint()[:_DIGITS], reader.fingerprint()[:_DIGITS]
    return Recipe(
        settings={
            "farm_ray": farm_ray.__version__,
            "model": model_checksum(predictor.model)[:_DIGITS],
            **told,
            **settings,
            "extraction": None if predictor.extraction is None else predictor.extraction.model_dump(),
            "use_amp": predictor.use_amp,
            "rows_at_once": source.rows_per_table,
            "processor": "-".join(processors),
        },
        files=[(storage.redacted(file), state.stamp) for file, state in zip(source.files, states, strict=True)],
    )


def model_checksum(model: AdaptiveModel) -> str:
    """Changes when a weight or a setting of the model changes: sha256 over both, 64 hex digits."""
    digest = hashlib.sha256(settings_bytes(model))
    for name, tensor in model.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()

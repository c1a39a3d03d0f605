"""What a run is: a checkpoint fits another run only where all of this is equal. Found out once, by the driver."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from farm_ray.data_handler.data_silo.stream import StreamedSet
from farm_ray.modeling.describe import settings_checksum
from farm_ray.modeling.tokenization.backend import tokenizer_bytes

if TYPE_CHECKING:
    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.modeling.adaptive_model import AdaptiveModel

_DIGITS = 16


def run_identity(model: AdaptiveModel, data_silo: DataSilo, *, watches_dev: bool) -> dict[str, str]:
    """Data, tokenizer and model of a run, each under the name that a message gives it.

    Training data in memory counts by its content: ids, token ids, labels. Of a stream, which nobody reads as a whole,
    the files count by their sizes and change stamps, and the processor by its settings.

    Args:
        model: With its heads; its weights do not count, as a checkpoint brings them.
        data_silo: With its data.
        watches_dev: Whether results on dev decide about the run, as in early stopping.
    """
    tokenizer = data_silo.processor.tokenizer
    digest = hashlib.sha256(tokenizer_bytes(tokenizer)).hexdigest()[:_DIGITS]
    found = {
        "tokenizer": f"{type(tokenizer).__name__} of {len(tokenizer)} tokens, {digest}",
        "settings of the model": settings_checksum(model)[:_DIGITS],
        **_content("training", data_silo.data["train"]),
    }
    return found | (_content("dev", data_silo.data["dev"]) if watches_dev else {})


def _content(name: str, rows: FeatureSet | StreamedSet | None) -> dict[str, str]:
    if rows is None:
        return {}
    if isinstance(rows, StreamedSet):
        return {f"{name} data": rows.content()}
    return {f"{name} {part}": value for part, value in rows.content().items()}

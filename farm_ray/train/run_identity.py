"""What a run is: a checkpoint fits another run only where all of this is equal. Found out once, by the driver."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from farm_ray.modeling.describe import settings_of, training_settings_of
from farm_ray.modeling.tokenization.backend import tokenizer_bytes

if TYPE_CHECKING:
    from farm_ray.data_handler.data_silo.base import BaseSilo
    from farm_ray.data_handler.run_sets import TrainingSet
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.train.stopper import Stopper

_DIGITS = 16
_SHORT = 60
"""Characters of a value that is told as it is."""


def run_identity(model: AdaptiveModel, data_silo: BaseSilo, *, early_stopping: Stopper | None = None) -> dict[str, str]:
    """Data, tokenizer and model of a run, each under the name that a message gives it.

    Training data in memory counts by its content: ids, token ids, labels. Of a stream, which nobody reads as a whole,
    the files count by their sizes and change stamps, and the processor by its settings.

    Args:
        model: With its heads; its weights do not count, as a checkpoint brings them.
        data_silo: With its data.
        early_stopping: As for `Trainer`; then results on dev decide about the run, and dev rows count.
    """
    tokenizer = data_silo.processor.tokenizer
    digest = hashlib.sha256(tokenizer_bytes(tokenizer)).hexdigest()[:_DIGITS]
    settings = settings_of(model) | training_settings_of(model)
    found = {
        "tokenizer": f"{type(tokenizer).__name__} of {len(tokenizer)} tokens, {digest}",
        **{name: _told(value) for name, value in settings.items()},
        "early stopping": _watched(early_stopping),
        **_content("training", data_silo.data["train"]),
    }
    return found if early_stopping is None else found | _content("dev", data_silo.data["dev"])


def _watched(early_stopping: Stopper | None) -> str:
    """What its state is about; how patient it is may change."""
    if early_stopping is None:
        return "none"
    metric = getattr(early_stopping, "metric", None)
    named = metric if isinstance(metric, str) else getattr(metric, "__qualname__", None)
    values = [named, *(getattr(early_stopping, name, None) for name in ("mode", "head"))]
    return " ".join([type(early_stopping).__name__, *(str(value) for value in values if value is not None)])


def _told(value: object) -> str:
    """A short value as it is, a long one by a hash."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return text if len(text) <= _SHORT else hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _content(name: str, rows: TrainingSet | None) -> dict[str, str]:
    return {} if rows is None else {f"{name} {part}": value for part, value in rows.content().items()}

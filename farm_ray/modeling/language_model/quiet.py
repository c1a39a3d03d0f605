"""Loading and saving without transformers' reports and progress bars."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
from transformers.utils import logging

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Errors only, no progress bars; both are put back as they were. We report missing weights ourselves."""
    verbosity, bars, hub_bars = logging.get_verbosity(), logging.is_progress_bar_enabled(), are_progress_bars_disabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # A damaged configuration may describe weights without numbers; what is wrong is told as an error.
            warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        (disable_progress_bars if hub_bars else enable_progress_bars)()

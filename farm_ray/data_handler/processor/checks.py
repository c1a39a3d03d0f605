"""Settings of a processor that are invalid, found before any work is done."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError
from farm_ray.modeling.tokenization.backend import check_room

if TYPE_CHECKING:
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

logger = logging.getLogger(__name__)


def check_filenames(**filenames: object) -> None:
    """Raises ConfigError on a file name that is no text or path."""
    for name, value in filenames.items():
        if value is not None and not isinstance(value, str | os.PathLike):
            raise ConfigError(
                f"{name} must be the name of one file, a folder or a pattern such as train-*.tsv, not {value!r}",
                code="invalid-value",
                option=name,
                value=value,
            )


def check_settings(tokenizer: TokenizerLike, max_seq_len: object, dev_split: object, *, pairs: bool) -> None:
    """Raises ConfigError on a missing tokenizer, or numbers out of range."""
    if tokenizer is None or isinstance(tokenizer, str):
        raise ConfigError(
            f"tokenizer must be a loaded tokenizer, not {tokenizer!r}; use Tokenizer.load(...)",
            code="invalid-value",
            option="tokenizer",
            value=tokenizer,
        )
    if isinstance(max_seq_len, bool) or not isinstance(max_seq_len, int) or max_seq_len < 1:
        raise ConfigError(
            f"max_seq_len must be a whole number of tokens, 1 or more, not {max_seq_len!r}",
            code="invalid-value",
            option="max_seq_len",
            value=max_seq_len,
        )
    check_room(tokenizer, max_seq_len, pairs=pairs)
    if max_seq_len > tokenizer.model_max_length:
        logger.warning(
            "max_seq_len=%d is more than the %d tokens this tokenizer was made for",
            max_seq_len,
            tokenizer.model_max_length,
        )
    if dev_split is not None and (not isinstance(dev_split, int | float) or not 0 <= dev_split < 1):
        raise ConfigError(
            f"dev_split must be a share from 0 to below 1, not {dev_split!r}",
            code="invalid-value",
            option="dev_split",
            value=dev_split,
        )

"""From a folder or a hub name to a model and the processor that feeds it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm_ray.errors import ConfigError, ModelFolderError

if TYPE_CHECKING:
    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel

logger = logging.getLogger(__name__)

TASK_TYPES = ("text_classification",)
"""What this version predicts; names as in FARM."""

_DEFAULT_MAX_SEQ_LEN = 256
"""Tokens per text for a plain transformers model, whose folder does not say what it was trained with."""


def check_task_type(task_type: str | None) -> None:
    """Raises ConfigError, naming the choices, for a task type this version does not predict."""
    if task_type is not None and task_type not in TASK_TYPES:
        raise ConfigError(f'task_type "{task_type}" is not known; choose {" or ".join(TASK_TYPES)}', value=task_type)


def refuse_unused(values: Mapping[str, Any]) -> None:
    """Raises ConfigError for the first argument that belongs to a task this version does not have."""
    for name, value in values.items():
        if value:
            raise ConfigError(f"{name}={value!r} has no meaning for {', '.join(TASK_TYPES)}; leave it out", value=name)


def choose_device(*, gpu: bool) -> str:
    """`cuda` or `cpu`; as in FARM, a missing GPU is no error, but it is said."""
    if not gpu:
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    logger.warning("gpu=True, but torch sees no GPU: predicting on the CPU")
    return "cpu"


def load(
    name: str | Path,
    *,
    device: str,
    revision: str | None,
    task_type: str | None,
    strict: bool,
    max_seq_len: int | None,
    tokenizer_class: str | None,
    use_fast: bool,
    tokenizer_args: Mapping[str, Any] | None,
) -> tuple[AdaptiveModel, Processor]:
    """Model and processor from a folder of ours, a FARM 0.8 folder, or a transformers folder or hub name.

    Raises:
        ModelFolderError: When the folder is missing or not whole.
        ConfigError: When a transformers model comes without a task type.
    """
    folder = Path(name).expanduser()
    if folder.is_dir() and _is_farm_folder(folder):
        return _from_farm_folder(folder, device=device, strict=strict, max_seq_len=max_seq_len)
    if not folder.exists() and _looks_like_path(str(name)):
        raise ModelFolderError(f"the model folder {name} does not exist", file=str(name))
    if task_type is None:
        choices = " or ".join(f'task_type="{choice}"' for choice in TASK_TYPES)
        raise ConfigError(f"{name} is a plain transformers model; say what it is for with {choices}", file=str(name))
    source = str(folder) if folder.is_dir() else str(name)
    return _from_transformers(
        source,
        device=device,
        revision=revision,
        task_type=task_type,
        max_seq_len=max_seq_len,
        tokenizer_class=tokenizer_class,
        use_fast=use_fast,
        tokenizer_args=tokenizer_args,
    )

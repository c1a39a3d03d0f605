"""From a folder or a hub name to a model and the processor that feeds it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from farm_ray.errors import ConfigError, ModelFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel

logger = logging.getLogger(__name__)

TASK_TYPES = ("text_classification",)
"""What this version predicts; names as in FARM."""

_PROCESSOR_FILE = "processor_config.json"
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


def check_heads(model: AdaptiveModel, task_type: str | None) -> None:
    """Raises ConfigError when the model has no heads, or heads this version cannot predict with."""
    kinds = [head.model_type for head in model.prediction_heads]
    if not kinds:
        raise ConfigError("the model has no prediction head, so there is nothing to predict; train one first")
    for kind in kinds:
        if kind not in TASK_TYPES:
            raise ConfigError(f"a head of type {kind} cannot be predicted with; known: {', '.join(TASK_TYPES)}")
        if task_type not in {None, kind}:
            raise ConfigError(f'task_type="{task_type}", but the model has a head for {kind}; leave task_type out')


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
    import torch

    from farm_ray.modeling.language_model import sources

    folder = sources.find_folder(name)
    if folder is not None and _is_ours(folder):
        with torch.random.fork_rng(devices=[]):
            return _load_ours(folder, device=device, strict=strict, max_seq_len=max_seq_len)
    if folder is not None and (folder / "model" / _PROCESSOR_FILE).is_file():
        raise ModelFolderError(
            f"{folder} is the folder of a run; its model is in {folder / 'model'}", file=str(folder / _PROCESSOR_FILE)
        )
    if folder is not None and not (folder / "config.json").is_file():
        raise sources.missing(folder / _PROCESSOR_FILE)
    if task_type is None:
        choices = " or ".join(f'"{choice}"' for choice in TASK_TYPES)
        message = f"{name} is a plain transformers model; say what it is for with task_type={choices}"
        raise ConfigError(message, value=str(name))
    with torch.random.fork_rng(devices=[]):
        return _convert(
            str(name if folder is None else folder),
            device=device,
            revision=revision,
            task_type=task_type,
            max_seq_len=max_seq_len,
            tokenizer_class=tokenizer_class,
            use_fast=use_fast,
            tokenizer_args=tokenizer_args,
        )


def _is_ours(folder: Path) -> bool:
    """A folder of farm_ray or FARM 0.8, also one that lacks files."""
    return (folder / _PROCESSOR_FILE).is_file() or any(folder.glob("prediction_head_*_config.json"))


def _load_ours(folder: Path, *, device: str, strict: bool, max_seq_len: int | None) -> tuple[AdaptiveModel, Processor]:
    from farm_ray.artifacts import verify_folder
    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel

    verify_folder(folder)
    processor = Processor.load_from_dir(folder)
    if max_seq_len is not None:
        processor.max_seq_len = max_seq_len
    return AdaptiveModel.load(folder, device, strict=strict), processor


def _convert(
    name: str,
    *,
    device: str,
    revision: str | None,
    task_type: str,
    max_seq_len: int | None,
    tokenizer_class: str | None,
    use_fast: bool,
    tokenizer_args: Mapping[str, Any] | None,
) -> tuple[AdaptiveModel, Processor]:
    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel

    model = AdaptiveModel.convert_from_transformers(name, device, revision=revision, task_type=task_type)
    processor = Processor.convert_from_transformers(
        name,
        task_type,
        min(_DEFAULT_MAX_SEQ_LEN, model.language_model.max_positions or _DEFAULT_MAX_SEQ_LEN)
        if max_seq_len is None
        else max_seq_len,
        revision=revision,
        tokenizer_class=tokenizer_class,
        tokenizer_args=tokenizer_args,
        use_fast=use_fast,
    )
    return model, processor

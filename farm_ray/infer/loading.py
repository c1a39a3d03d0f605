"""From a folder or a hub name to a model and the processor that feeds it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from farm_ray.configuration import nearest
from farm_ray.data_handler.feature_schema import WORD_STARTS
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.infer.head_forms import check_own_answers, form_of, task_types_of
from farm_ray.tasks.table import EMBEDDINGS, predicted_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

logger = logging.getLogger(__name__)

_PROCESSOR_FILE = "processor_config.json"
_LANGUAGE_MODEL_FILES = ("config.json", "language_model_config.json")
_DEFAULT_MAX_SEQ_LEN = 256
"""Tokens per text for a plain transformers model, whose folder does not say what it was trained with."""
_NOT_AVAILABLE = ("s3e_stats", "dummy_ph", "doc_stride")
_FOR_HEADS = ("return_class_probs",)
_SWITCHES = ("return_class_probs", "dummy_ph")
"""Options that are off unless given."""
_OTHER_ROWS = {"window", WORD_STARTS}
"""Columns of features that have several rows for a long text, or rows with several texts."""


def check_task_type(task_type: str | None) -> None:
    """Raises ConfigError, naming the choices, for a task type this version does not predict."""
    known = [*predicted_names(), EMBEDDINGS]
    if task_type is not None and task_type not in known:
        raise ConfigError(
            f'task_type "{task_type}" is not known{nearest(task_type, known)}',
            code="unknown-task-type",
            value=task_type,
        )


def check_options(task_type: str | None, **options: object) -> None:
    """Raises ConfigError for the first option that was given and that the task does not have.

    Options of embeddings are refused for heads, and the other way round.
    """
    for name, value in options.items():
        if not (value if name in _SWITCHES else value is not None):
            continue
        if name in _NOT_AVAILABLE:
            raise ConfigError(
                f"{name} is not available in this version; leave it out", code="not-available-yet", option=name
            )
        if (name in _FOR_HEADS) == (task_type == EMBEDDINGS):
            way_out = "leave it out" if name in _FOR_HEADS else f'leave it out, or give task_type="{EMBEDDINGS}"'
            what = EMBEDDINGS if task_type == EMBEDDINGS else "prediction heads"
            raise ConfigError(
                f"{name}={value!r} has no meaning for {what}; {way_out}",
                code="option-without-effect",
                option=name,
                value=value,
            )


def task_of_heads(model: AdaptiveModel, task_type: str | None) -> str:
    """The task type, read off the model's heads where it is None.

    Raises:
        ConfigError: When the model has no heads, heads that cannot be predicted with, or none for this task.
    """
    if task_type == EMBEDDINGS:
        return EMBEDDINGS
    heads = list(model.prediction_heads)
    if not heads:
        raise ConfigError(
            "the model has no prediction head, so there is nothing to predict; train one first, or give "
            f'task_type="{EMBEDDINGS}" for its vectors',
            code="no-head",
        )
    for head in heads:
        check_own_answers(head)
        form_of(head)
    if task_type is None:
        return task_types_of(heads[0])[0]
    if not any(task_type in task_types_of(head) for head in heads):
        kinds = " and ".join(dict.fromkeys(head.model_type for head in heads))
        raise ConfigError(
            f'task_type="{task_type}", but the model has a head for {kinds}; leave task_type out',
            code="wrong-task-type",
            value=task_type,
        )
    return task_type


def whole_texts(processor: Processor) -> Processor:
    """A frozen processor in inference mode with one row per text, cut where it is too long: this one if it is such.

    In the place of a processor of pairs stands one that takes single texts too.
    """
    from farm_ray.data_handler.processor import InferenceProcessor
    from farm_ray.data_handler.processor.texts_or_pairs import TextsOrPairsProcessor

    if processor.text_b_column_name is not None and not processor.own_row_methods():
        return TextsOrPairsProcessor.like(processor).frozen()
    if not _OTHER_ROWS & set(processor.featurize(processor.dicts_to_table([])).column_names):
        return processor
    plain = InferenceProcessor(processor.tokenizer, processor.max_seq_len)
    plain.multithreading_rust = processor.multithreading_rust
    return plain.frozen()


def class_token_is_last(tokenizer: TokenizerLike) -> bool:
    """Whether texts end in the class token, as XLNet's do, instead of beginning with it."""
    ids = tokenizer("a")["input_ids"]
    return tokenizer.cls_token_id is not None and ids[0] != tokenizer.cls_token_id and ids[-1] == tokenizer.cls_token_id


def load(
    name: str | Path,
    *,
    revision: str | None,
    task_type: str | None,
    strict: bool,
    max_seq_len: int | None,
    tokenizer_class: str | None,
    use_fast: bool,
    tokenizer_args: Mapping[str, object] | None,
) -> tuple[AdaptiveModel, Processor]:
    """Model, on the CPU, and processor from a folder of ours, a FARM 0.8 folder, or a transformers folder or hub name.

    Raises:
        ModelFolderError: When the folder is missing or not whole.
        ConfigError: When a transformers model has no head that says what it is for, and no task type is given.
    """
    import torch

    from farm_ray.modeling.language_model import sources

    folder = sources.find_folder(name)
    if folder is not None and _is_ours(folder):
        with torch.random.fork_rng(devices=[]):
            for_transformers = {
                "revision": revision,
                "tokenizer_class": tokenizer_class,
                "tokenizer_args": tokenizer_args,
            }
            _report_without_effect(folder, for_transformers | {"use_fast": None if use_fast else False})
            return _load_ours(folder, strict=strict, max_seq_len=max_seq_len)
    if folder is not None and (folder / "model" / _PROCESSOR_FILE).is_file():
        raise ModelFolderError(
            f"{folder} is the folder of a run; its model is in {folder / 'model'}",
            code="folder-of-a-run",
            file=str(folder / _PROCESSOR_FILE),
        )
    if folder is not None and not any((folder / name).is_file() for name in _LANGUAGE_MODEL_FILES):
        raise sources.missing(folder / _PROCESSOR_FILE)
    place = str(name if folder is None else folder)
    with torch.random.fork_rng(devices=[]):
        return _convert(
            place,
            revision=revision,
            task_type=task_type or _task_of_checkpoint(place, revision),
            max_seq_len=max_seq_len,
            tokenizer_class=tokenizer_class,
            use_fast=use_fast,
            tokenizer_args=tokenizer_args,
        )


def _is_ours(folder: Path) -> bool:
    """A folder of farm_ray or FARM 0.8, also one that lacks files."""
    return (folder / _PROCESSOR_FILE).is_file() or any(folder.glob("prediction_head_*_config.json"))


def _report_without_effect(folder: Path, arguments: Mapping[str, object]) -> None:
    given = [f"{name}={value!r}" for name, value in arguments.items() if value is not None]
    if given:
        logger.warning("%s have no effect: %s brings its own tokenizer, as it was trained", ", ".join(given), folder)


def _load_ours(folder: Path, *, strict: bool, max_seq_len: int | None) -> tuple[AdaptiveModel, Processor]:
    from farm_ray.artifacts import verify_folder
    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel

    verify_folder(folder)
    processor = Processor.load_from_dir(folder)
    if max_seq_len is not None:
        processor.max_seq_len = max_seq_len
    return AdaptiveModel.load(folder, "cpu", strict=strict), processor


def _task_of_checkpoint(name: str, revision: str | None) -> str:
    """What the head of a transformers model is for.

    Raises:
        ConfigError: When it has none that can be predicted with.
    """
    from farm_ray.modeling.language_model.loading import open_config
    from farm_ray.tasks.checkpoints import spec_of_checkpoint

    config = open_config(name, revision)
    spec = spec_of_checkpoint(config)
    if spec is not None and spec.answers is not None:
        return spec.farm_name
    architecture = ", ".join(getattr(config, "architectures", None) or ["no architecture given"])
    raise ConfigError(
        f"{name} is a plain transformers model ({architecture}) without a head to predict with; "
        f'task_type="{EMBEDDINGS}" gives its vectors',
        code="no-head",
        value=name,
    )


def _convert(
    name: str,
    *,
    revision: str | None,
    task_type: str,
    max_seq_len: int | None,
    tokenizer_class: str | None,
    use_fast: bool,
    tokenizer_args: Mapping[str, object] | None,
) -> tuple[AdaptiveModel, Processor]:
    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.adaptive_model import AdaptiveModel

    model = AdaptiveModel.convert_from_transformers(name, "cpu", revision=revision, task_type=task_type)
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

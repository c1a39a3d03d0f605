"""A saved processor that reads files written in another way than those it was trained on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from farm_ray.data_handler.processor.identity import changed_copy
from farm_ray.data_handler.processor.language_model import BertStyleLMProcessor
from farm_ray.data_handler.processor.ner import NERProcessor
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessor
from farm_ray.errors import ConfigError
from farm_ray.storage import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.processor.base import Processor
    from farm_ray.plain import PlainDict

logger = logging.getLogger(__name__)

_SETTINGS: dict[Any, tuple[str, ...]] = {
    TextClassificationProcessor: (
        "text_column_name",
        "text_b_column_name",
        "label_column_name",
        "delimiter",
        "quote_char",
        "encoding",
    ),
    NERProcessor: ("text_column_name", "label_column_name", "delimiter", "encoding"),
    BertStyleLMProcessor: ("text_column_name", "encoding"),
}
"""What can be set for reading, by the class whose `file_to_dicts` is used."""


def with_reading(processor: Processor, files: Sequence[str], **changes: str | None) -> Processor:
    """A copy that reads these files as they are written; the processor's own settings hold where a change is None.

    Where no delimiter is given and the first file's header has the wanted columns with another usual one, that one is
    taken, and reported.

    Args:
        processor: Set up, frozen or not.
        files: What is to be read.
        changes: text_column_name, text_b_column_name, label_column_name, delimiter, quote_char ("" switches quoting
            off), encoding.

    Raises:
        ConfigError: When the processor reads files in a way of its own, or no pairs, or has several label columns.
    """
    given: PlainDict = {name: value for name, value in changes.items() if value is not None}
    _check(processor, given)
    if "text_b_column_name" in given and processor.text_b_is_optional:
        given["text_b_is_optional"] = False
    if given.get("quote_char") == "":
        given["quote_char"] = None
    of_tasks = {name: given[name] for name in ("text_column_name", "label_column_name") if name in given}
    if of_tasks:
        given["tasks"] = {name: task.changed(**of_tasks) for name, task in processor.tasks.items()}
    changed = changed_copy(processor, **given)
    return changed if "delimiter" in given else _as_headed(changed, files)


def _check(processor: Processor, given: PlainDict) -> None:
    if "text_b_column_name" in given and processor.text_b_column_name is None:
        value = given["text_b_column_name"]
        raise ConfigError(
            f'text_b_column_name="{value}", but this model reads single texts; leave it out',
            code="option-without-effect",
            option="text_b_column_name",
            value=value,
        )
    without_effect = sorted(set(given) - set(_settings_of(processor)))
    if without_effect:
        raise ConfigError(
            f"{type(processor).__name__} reads files itself, so {', '.join(without_effect)} would have no effect; "
            "leave it out",
            code="option-without-effect",
            option=without_effect[0],
        )
    if "label_column_name" in given and len(processor.tasks) > 1:
        names = " and ".join(f'"{task.label_column_name}"' for task in processor.tasks.values())
        raise ConfigError(
            f'label_column_name="{given["label_column_name"]}", but this model has several label columns; '
            f"name them {names} in the file",
            code="one-of-several-columns",
            option="label_column_name",
            value=given["label_column_name"],
        )


def _as_headed(processor: Processor, files: Sequence[str]) -> Processor:
    """With the delimiter that the header of the first file shows."""
    if not isinstance(processor, TextClassificationProcessor) or "delimiter" not in _settings_of(processor):
        return processor
    sign = processor.delimiter_shown_by(files[0]) if files else None
    if sign is None:
        return processor
    logger.warning(
        "%s: its columns are separated by %r, not by %r as in the model's settings; it is read so",
        redacted(files[0]),
        sign,
        processor.delimiter,
    )
    return changed_copy(processor, delimiter=sign)


def _settings_of(processor: Processor) -> tuple[str, ...]:
    reads_by = getattr(type(processor), "file_to_dicts", None)
    return next((names for kind, names in _SETTINGS.items() if kind.file_to_dicts is reads_by), ())

"""Who reads the files to predict: the model's processor without labels, or a reader of tables in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.data_handler.processor import InferenceProcessor, NERProcessor, TextClassificationProcessor
from farm_ray.data_handler.processor.identity import changed_copy
from farm_ray.errors import ConfigError
from farm_ray.storage import data_suffix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.processor import Processor

_OBJECTS = (".json", ".jsonl", ".parquet")
_SETTINGS: dict[Any, tuple[str, ...]] = {
    TextClassificationProcessor: ("text_column_name", "text_b_column_name", "delimiter", "quote_char"),
    NERProcessor: ("text_column_name", "delimiter"),
}
"""What can be set for reading, by the class whose `file_to_dicts` is used."""


def reading_processor(processor: Processor, **changes: str | None) -> Processor:
    """A frozen copy that ignores labels and reads every row, also where it was trained on a sample.

    Args:
        processor: Its settings hold where an argument is None.
        changes: text_column_name, text_b_column_name, delimiter, quote_char ("" switches quoting off).

    Raises:
        ConfigError: When the processor reads files in a way of its own, or no pairs.
    """
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    if "text_b_column_name" in given and processor.text_b_column_name is None:
        value = given["text_b_column_name"]
        raise ConfigError(f'text_b_column_name="{value}", but this model reads single texts; leave it out', value=value)
    without_effect = sorted(set(given) - set(_settings_of(processor)))
    if without_effect:
        raise ConfigError(
            f"{type(processor).__name__} reads files itself, so {', '.join(without_effect)} would have no effect; "
            "leave it out"
        )
    if "text_b_column_name" in given and processor.text_b_is_optional:
        given["text_b_is_optional"] = False
    if given.get("quote_char") == "":
        given["quote_char"] = None
    if "text_column_name" in given:
        of_tasks = {"text_column_name": given["text_column_name"]}
        given["tasks"] = {name: {**task, **of_tasks} for name, task in processor.tasks.items()}
    if hasattr(processor, "max_samples"):
        given["max_samples"] = None
    return changed_copy(processor, inference=True, **given).frozen()


def reader_of(processor: Processor, files: Sequence[str], **changes: str | None) -> Processor:
    """As `reading_processor`, for these files.

    A processor of words reads one word a line; where a text column is named, TSV and CSV files are read as tables with
    a text per row.
    """
    tables = not all(data_suffix(file) in _OBJECTS for file in files)
    if isinstance(processor, NERProcessor) and tables and changes.get("text_column_name") is not None:
        words = processor
        processor = InferenceProcessor(words.tokenizer, words.max_seq_len, max_text_chars=words.max_text_chars)
    return reading_processor(processor, **changes)


def _settings_of(processor: Processor) -> tuple[str, ...]:
    reads_by = getattr(type(processor), "file_to_dicts", None)
    return next((names for kind, names in _SETTINGS.items() if kind.file_to_dicts is reads_by), ())
